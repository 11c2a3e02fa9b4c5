// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Unrelated processes that are killed at any moment, again and again: calls fail at once
// and with a reason, servers come back, and nothing is left behind.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/rpc/echo_service.h"
#include "tests/rpc/serving_process.h"
#include "tests/support/body_process.h"
#include "tests/support/child_body.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

constexpr int kRounds = 200;

// Calls the server at $AT, each time over a new connection, for as long as it lives.
CHILD_BODY(CallsForEver) {
  SayLine("ready");
  EchoRequest request;
  request.set_payload(std::string(100000, 'x'));  // more than a pipe holds
  for (;;) {
    absl::StatusOr<Channel> channel = Connect(Variable("AT"));
    for (int i = 0; i < 3 && channel.ok(); ++i) EchoStub(*channel).Echo(request).IgnoreError();
  }
}

size_t OpenDescriptorsOf(pid_t pid) {
  std::filesystem::directory_iterator open(absl::StrCat("/proc/", pid, "/fd"));
  return static_cast<size_t>(std::distance(begin(open), end(open)));
}

class KillRoundsTest : public testing::TestWithParam<const char*> {
 protected:
  // A path of its own also makes an abstract name that nobody else has.
  std::string address() const { return absl::StrCat(GetParam(), ":", folder_ / "server"); }

  absl::Status CallOnce() {
    absl::StatusOr<Channel> channel = Connect(address());
    return channel.ok() ? EchoStub(*channel).Echo(EchoRequest()).status() : channel.status();
  }

  // Somewhere within what the other process does over and over.
  void AnyMoment() { std::this_thread::sleep_for(std::chrono::microseconds(random_() % 3000)); }

  void StopAtLast(BodyProcess& server) {
    EXPECT_TRUE(CallOnce().ok());
    server.WriteLine("stop");
    EXPECT_EQ(server.Wait(), 0);
  }

  std::mt19937 random_{1};
  TempFolder folder_;  // fails the test if a file is left in it
};

TEST_P(KillRoundsTest, AKilledServerIsReplaced) {
  std::unique_ptr<BodyProcess> server;
  for (int round = 0; round < kRounds; ++round) {
    server = StartServing(address());
    absl::StatusOr<Channel> channel = Connect(address());
    ASSERT_TRUE(channel.ok()) << channel.status() << " in round " << round;
    std::thread killer([&] {
      AnyMoment();
      server->Kill();
    });
    absl::Status status;
    while (status.ok()) status = EchoStub(*channel).Echo(EchoRequest()).status();
    killer.join();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  }
  StopAtLast(*StartServing(address()));
}

TEST_P(KillRoundsTest, AKilledClientLeavesTheServerWhatItHad) {
  std::unique_ptr<BodyProcess> server = StartServing(address());
  ASSERT_TRUE(CallOnce().ok());
  absl::StatusOr<Channel> other = Connect(address());
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(EchoStub(*other).Echo(EchoRequest()).ok());
  size_t descriptors = OpenDescriptorsOf(server->pid());
  for (int round = 0; round < kRounds; ++round) {
    BodyProcess client("CallsForEver", {"AT=" + address()});
    EXPECT_EQ(client.ReadLine(), "ready");
    AnyMoment();
    client.Kill();
    ASSERT_TRUE(EchoStub(*other).Echo(EchoRequest()).ok()) << round;
  }
  // The server sees the last ends in its own time.
  for (int i = 0; i < 1500 && OpenDescriptorsOf(server->pid()) > descriptors; ++i) {
    ASSERT_TRUE(EchoStub(*other).Echo(EchoRequest()).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(OpenDescriptorsOf(server->pid()), descriptors);
  StopAtLast(*server);
}

INSTANTIATE_TEST_SUITE_P(All, KillRoundsTest,
                         testing::Values("unix", "unix-abstract", "named-pipe", "shm"),
                         NameOfScheme);

}  // namespace
}  // namespace ferry::test
