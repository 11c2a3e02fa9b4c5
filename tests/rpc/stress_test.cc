// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Threads that make random calls of every shape, and end them in every way, over each transport.
// $STRESS_SECONDS says how long all of it takes, $STRESS_SEED repeats a run.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/rpc/stress_calls.h"
#include "tests/rpc/stress_peer.h"
#include "tests/rpc/stress_watch.h"

namespace ferry::test {
namespace {

constexpr size_t kCallers = 12;
constexpr size_t kRuns = 2 * std::size(kWays) - 1;
constexpr double kDefaultSeconds = 6;
constexpr size_t kMiB = 1024 * 1024;

uint64_t Seed() {
  static const uint64_t seed = [] {
    const char* given = getenv("STRESS_SEED");
    uint64_t chosen = given != nullptr ? std::stoull(given) : std::random_device{}();
    std::printf("STRESS_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

absl::Duration OneRun() {
  const char* given = getenv("STRESS_SECONDS");
  return absl::Seconds((given != nullptr ? std::stod(given) : kDefaultSeconds) / kRuns);
}

// Of the server: as few as can make progress, some, and plenty.
size_t MaxThreads() {
  constexpr size_t kChoices[] = {1, 2, 4, 64};
  return kChoices[Seed() % std::size(kChoices)];
}

class StressTest : public testing::TestWithParam<Way> {
 protected:
  enum class Peers { kLive, kAreKilled };

  // Until the end of the run, calls on channels of the peer from many threads at once.
  int64_t CallFor(absl::Duration duration, StressPeer& peer, Peers peers) {
    Watchdog watchdog(kCallers + 1, absl::StrCat(GetParam().name, ", STRESS_SEED=", Seed(),
                                                 ", max_threads=", MaxThreads()));
    Later later;
    std::atomic<bool> stop{false};
    std::atomic<int64_t> calls{0};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kCallers; ++i) {
      threads.emplace_back([&, i] {
        StressCaller caller(Seed() + i, {peers == Peers::kAreKilled, MaxThreads() > 2 * kCallers},
                            later, watchdog.of(i));
        while (!stop && !HasFailure()) {
          std::vector<Channel> channels = peer.channels();
          caller.CallOnce(channels[i % channels.size()]);
        }
        calls += caller.calls();
      });
    }
    std::mt19937_64 random(Seed());
    for (Deadline end = DeadlineAfter(duration); !HasPassed(end) && !HasFailure();) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 50000));
      if (peers == Peers::kAreKilled) peer.KillAndReplace();
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    watchdog.of(kCallers).Begin("waiting for the last handlers");
    peer.AwaitIdle();
    return calls;
  }

  // What a connection that has ended leaves goes in its own time.
  void ExpectNoMoreDescriptors(StressPeer& peer, size_t before) {
    Watchdog watchdog(1, absl::StrCat(GetParam().name, ", STRESS_SEED=", Seed()));
    watchdog.of(0).Begin("waiting for descriptors to be closed");
    while (peer.UsageNow().descriptors > before) {
      EXPECT_TRUE(StressStub(peer.NewChannel()).One(Piece()).ok());
    }
  }
};

TEST_P(StressTest, EveryCallEndsOnceAndLeavesNothing) {
  StressPeer peer(GetParam(), MaxThreads());
  int64_t calls = CallFor(OneRun() / 2, peer, Peers::kLive);
  Usage before = peer.UsageNow();
  calls += CallFor(OneRun() / 2, peer, Peers::kLive);
  ExpectNoMoreDescriptors(peer, before.descriptors);
  Usage after = peer.UsageNow();
  EXPECT_LE(after.threads, MaxThreads() + (GetParam().is_here() ? 12 : 6));
  EXPECT_LE(after.memory, before.memory + 32 * kMiB);
  EXPECT_TRUE(StressStub(peer.NewChannel()).One(Piece()).ok());
  std::printf("%s: %lld calls\n", GetParam().name, static_cast<long long>(calls));
}

TEST_P(StressTest, EveryCallEndsOnceWhilePeersAreKilled) {
  if (GetParam().is_here()) GTEST_SKIP() << "the peer is this process";
  StressPeer peer(GetParam(), MaxThreads());
  int64_t calls = CallFor(OneRun(), peer, Peers::kAreKilled);
  EXPECT_TRUE(StressStub(peer.NewChannel()).One(Piece()).ok());
  std::printf("%s: %lld calls\n", GetParam().name, static_cast<long long>(calls));
}

INSTANTIATE_TEST_SUITE_P(All, StressTest, testing::ValuesIn(kWays),
                         [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace ferry::test
