// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Unrelated processes that find each other by a name: who waits for whom, and who knows
// whom.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/rpc/echo_service.h"
#include "tests/rpc/serving_process.h"
#include "tests/support/child_body.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using absl::StatusCode;
using testing::TestWithParam;

class UnrelatedTest : public TestWithParam<const char*> {
 protected:
  std::string address() const { return absl::StrCat(GetParam(), ":", folder_ / "server"); }

  TempFolder folder_;
};

TEST_P(UnrelatedTest, WithoutAServerConnectFailsAtOnce) {
  absl::StatusOr<Channel> channel = Connect(address());
  EXPECT_EQ(channel.status().code(), StatusCode::kUnavailable) << channel.status();
  EXPECT_TRUE(absl::StrContains(channel.status().message(), address())) << channel.status();
}

TEST_P(UnrelatedTest, ConnectWaitsForAServerThatStartsLater) {
  std::unique_ptr<BodyProcess> server;
  std::thread starter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    server = StartServing(address());
  });
  ChannelOptions options;
  options.wait_for_ready = absl::InfiniteDuration();
  absl::StatusOr<Channel> channel = Connect(address(), options);
  starter.join();
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_TRUE(EchoStub(*channel).Echo(EchoRequest()).ok());
  server->WriteLine("stop");
  EXPECT_EQ(server->Wait(), 0);
}

TEST_P(UnrelatedTest, ConnectWaitsNoLongerThanItMay) {
  ChannelOptions options;
  options.wait_for_ready = absl::Milliseconds(30);
  absl::StatusOr<Channel> channel = Connect(address(), options);
  EXPECT_EQ(channel.status().code(), StatusCode::kUnavailable) << channel.status();
  EXPECT_TRUE(absl::StrContains(channel.status().message(), "waited 30ms")) << channel.status();
}

TEST_P(UnrelatedTest, BothSidesKnowTheOthersUser) {
  std::atomic<int64_t> caller{-2};
  ServerOptions server_options;
  server_options.admit = [&](const Peer& peer) {
    caller = peer.uid;
    return absl::OkStatus();
  };
  EchoServer server(address(), server_options);
  std::atomic<int64_t> callee{-2};
  ChannelOptions channel_options;
  channel_options.admit = [&](const Peer& peer) {
    callee = peer.uid;
    return absl::OkStatus();
  };
  Channel channel = server.Connect(channel_options);
  EXPECT_EQ(caller, geteuid());
  EXPECT_EQ(callee, geteuid());
}

TEST_P(UnrelatedTest, OneServerServesItAndAnotherAddressAtOnce) {
  EchoImpl service;
  Server server;
  server.Register(service);
  ASSERT_TRUE(server.Listen(address()).ok());
  ASSERT_TRUE(server.Listen("inproc:beside").ok());
  std::thread serving([&] { EXPECT_TRUE(server.Serve().ok()); });
  for (const std::string& at : {address(), std::string("inproc:beside")}) {
    absl::StatusOr<Channel> channel = Connect(at);
    ASSERT_TRUE(channel.ok()) << channel.status();
    EXPECT_TRUE(EchoStub(*channel).Echo(EchoRequest()).ok());
  }
  server.Shutdown();
  serving.join();
}

TEST_P(UnrelatedTest, ALargeRequestMayBeFollowedWhileItsHandlerRuns) {
  EchoServer server(address());
  Channel channel = server.Connect();
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      EchoRequest request;
      request.set_payload(std::string(200000, 'x'));
      for (int i = 0; i < 100; ++i) {
        absl::StatusOr<EchoReply> reply = EchoStub(channel).Echo(request);
        ASSERT_TRUE(reply.ok()) << reply.status();
        ASSERT_EQ(reply->payload().size(), request.payload().size());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

INSTANTIATE_TEST_SUITE_P(All, UnrelatedTest,
                         testing::Values("unix", "unix-abstract", "named-pipe", "shm"),
                         NameOfScheme);

// An abstract name has no mode that keeps other users out: only the policies do.
class OtherUserTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can be another user, too";
  }

  TempFolder folder_;
  const std::string address_ = absl::StrCat("unix-abstract:", folder_ / "server");
};

TEST_F(OtherUserTest, AServerOfAnotherUserIsNotCalled) {
  std::unique_ptr<BodyProcess> server = StartServing(address_, As::kAnotherUser);
  absl::StatusOr<Channel> channel = Connect(address_);
  EXPECT_EQ(channel.status().code(), StatusCode::kPermissionDenied) << channel.status();
  EXPECT_TRUE(absl::StrContains(channel.status().message(), "user 65534")) << channel.status();
  ChannelOptions anybody;
  anybody.admit = [](const Peer&) { return absl::OkStatus(); };
  channel = Connect(address_, anybody);
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_TRUE(EchoStub(*channel).Echo(EchoRequest()).ok());
}

CHILD_BODY(ConnectsAsAnOrdinaryUser) {
  BecomeOrdinaryUser();
  ChannelOptions anybody;
  anybody.admit = [](const Peer&) { return absl::OkStatus(); };
  SayLine(Connect(Variable("AT"), anybody).status().ToString());
  return 0;
}

TEST_F(OtherUserTest, AClientOfAnotherUserIsToldThatItIsNotServed) {
  std::unique_ptr<BodyProcess> server = StartServing(address_);
  BodyProcess client("ConnectsAsAnOrdinaryUser", {"AT=" + address_});
  std::string said = client.ReadLine();
  EXPECT_TRUE(absl::StartsWith(said, "PERMISSION_DENIED: ")) << said;
  EXPECT_TRUE(absl::StrContains(said, "user 65534 is not admitted")) << said;
  EXPECT_EQ(client.Wait(), 0);
}

}  // namespace
}  // namespace ferry::test
