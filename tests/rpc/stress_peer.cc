// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/rpc/stress_peer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/endpoint.h"
#include "tests/support/child_body.h"
#include "tests/support/resident_memory.h"

namespace ferry::test {
namespace {

constexpr int kChannels = 3;

size_t CountIn(const std::string& folder) {
  std::filesystem::directory_iterator entries(folder);
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

ServerOptions OptionsFor(size_t max_threads) {
  ServerOptions options;
  options.max_threads = max_threads;
  return options;
}

}  // namespace

// Serves $AT, with $THREADS; a named address until a line comes.
CHILD_BODY(ServesStress) {
  StressImpl service;
  Server server(OptionsFor(std::stoul(Variable("THREADS"))));
  server.Register(service);
  absl::Status listens = server.Listen(Variable("AT"));
  bool is_named = getenv("IS_NAMED") != nullptr;
  if (is_named) SayLine(listens.ok() ? "ready" : listens.ToString());
  std::thread stopper([&] {
    if (!is_named) return;
    HearLine();
    server.Shutdown();
  });
  absl::Status served = server.Serve();
  stopper.join();
  if (!served.ok()) std::fprintf(stderr, "Serve: %s\n", served.ToString().c_str());
  return served.ok() ? 0 : 1;
}

StressPeer::StressPeer(const Way& way, size_t max_threads) : way_(way), max_threads_(max_threads) {
  Start();
}

StressPeer::~StressPeer() {
  SetChannels({});
  if (way_.is_child()) {
    EXPECT_EQ(child_->Stop().ToString(), "exited with code 0");
  } else if (way_.is_here()) {
    server_->Shutdown();
    serving_.join();
  } else {
    process_->WriteLine("stop");
    EXPECT_EQ(process_->Wait(), 0);
  }
}

std::string StressPeer::address() const {
  return absl::StrCat(way_.scheme, ":", folder_ / "server");
}

void StressPeer::Start() {
  std::string threads = absl::StrCat("THREADS=", max_threads_);
  if (way_.is_child()) {
    const char* at = absl::string_view(way_.link) == "stdio" ? "stdio:" : "parent:";
    absl::StatusOr<Child> child = Spawn(absl::StrCat(
        ChildAddress("ServesStress"), "&transport=", way_.link, "&env=AT=", at, "&env=", threads));
    ASSERT_TRUE(child.ok()) << child.status();
    SetChannels({child->channel()});
    child_.emplace(*std::move(child));
    return;
  }
  if (way_.is_here()) {
    server_.emplace(OptionsFor(max_threads_));
    server_->Register(service_);
    ASSERT_TRUE(server_->Listen(address()).ok());
    serving_ = std::thread([this] { EXPECT_TRUE(server_->Serve().ok()); });
  } else {
    std::vector<std::string> variables = {"AT=" + address(), threads, "IS_NAMED=1"};
    process_ = std::make_unique<BodyProcess>("ServesStress", variables);
    ASSERT_EQ(process_->ReadLine(), "ready");
  }
  if (!channels().empty()) return;  // they connect again
  std::vector<Channel> made;
  for (int i = 0; i < kChannels; ++i) made.push_back(NewChannel());
  SetChannels(std::move(made));
}

std::vector<Channel> StressPeer::channels() {
  internal::MutexLock lock(mutex_);
  return channels_;
}

void StressPeer::SetChannels(std::vector<Channel> channels) {
  {
    internal::MutexLock lock(mutex_);
    channels_.swap(channels);
  }
  channels.clear();  // without the lock
}

Channel StressPeer::NewChannel() {
  if (way_.is_child()) return child_->channel();
  ChannelOptions options;
  options.wait_for_ready = absl::InfiniteDuration();
  absl::StatusOr<Channel> channel = Connect(address(), options);
  EXPECT_TRUE(channel.ok()) << channel.status();
  return *std::move(channel);
}

void StressPeer::KillAndReplace() {
  ASSERT_GT(pid(), 1);
  if (way_.is_child()) {
    ASSERT_EQ(kill(pid(), SIGKILL), 0);
    child_->Wait(absl::InfiniteDuration());
  } else {
    process_->Kill();
  }
  Start();
}

ServiceState StressPeer::AwaitIdle() {
  StressStub stub(NewChannel());
  absl::StatusOr<ServiceState> state;
  do {
    CallOptions options;
    options.wait_for_ready = true;
    state = stub.State(Piece(), options);
    if (state.ok()) std::this_thread::yield();
  } while (state.ok() && state->running() != 0);
  EXPECT_TRUE(state.ok()) << state.status();
  if (!state.ok()) return ServiceState();
  EXPECT_EQ(state->violation(), "");
  return *state;
}

pid_t StressPeer::pid() const {
  if (way_.is_here()) return getpid();
  return way_.is_child() ? child_->pid() : process_->pid();
}

Usage StressPeer::UsageNow() const {
  return {CountIn(absl::StrCat("/proc/", pid(), "/fd")),
          CountIn(absl::StrCat("/proc/", pid(), "/task")), ResidentMemory(pid())};
}

}  // namespace ferry::test
