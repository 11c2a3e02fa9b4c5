// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Channels whose servers are killed and come back.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/transport/unix_socket.h"
#include "tests/rpc/echo_service.h"
#include "tests/rpc/event_log.h"
#include "tests/rpc/raw_server.h"
#include "tests/rpc/serving_process.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using absl::StatusCode;
using testing::TestWithParam;

class ReconnectTest : public TestWithParam<const char*> {
 protected:
  void SetUp() override { server_ = StartServing(address()); }
  void TearDown() override {  // what a killed server leaves, the next removes
    server_->Kill();
    server_ = StartServing(address());
    server_->WriteLine("stop");
    EXPECT_EQ(server_->Wait(), 0);
  }

  std::string address() const { return absl::StrCat(GetParam(), ":", folder_ / "server"); }

  Channel Open(ChannelOptions options = {}) {
    options.on_event = log_.sink();
    options.max_backoff = absl::Milliseconds(30);
    absl::StatusOr<Channel> channel = Connect(address(), options);
    EXPECT_TRUE(channel.ok()) << channel.status();
    return *std::move(channel);
  }

  static absl::StatusOr<EchoReply> Call(const Channel& channel, const CallOptions& options = {}) {
    return EchoStub(channel).Echo(EchoRequest(), options);
  }

  // Long enough for a channel to see that it has been idle.
  static void Idle() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

  TempFolder folder_;
  EventLog log_;
  std::unique_ptr<BodyProcess> server_;
};

TEST_P(ReconnectTest, AnIdleChannelCallsTheServerThatCameAfterAKilledOne) {
  Channel channel = Open();
  ASSERT_TRUE(Call(channel).ok());
  server_->Kill();
  server_ = StartServing(address());
  Idle();
  absl::StatusOr<EchoReply> reply = Call(channel);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->pid(), server_->pid());
  EXPECT_EQ(log_.types(), (std::vector<Event::Type>{Event::Type::kConnected, Event::Type::kClosed,
                                                    Event::Type::kConnected}));
}

TEST_P(ReconnectTest, WithoutAServerCallsFailAtOnceAndWereNotSent) {
  Channel channel = Open();
  server_->Kill();
  Idle();
  for (int i = 0; i < 3; ++i) {
    absl::Status failed = Call(channel).status();
    EXPECT_EQ(failed.code(), StatusCode::kUnavailable) << failed;
    ASSERT_TRUE(CallFailureOf(failed).has_value());
    EXPECT_EQ(CallFailureOf(failed)->delivery, CallFailure::Delivery::kNotSent) << failed;
  }
  EXPECT_TRUE(absl::StrContains(log_.last_text(), "connect failed")) << log_.last_text();
}

TEST_P(ReconnectTest, ACallThatWaitsForReadyWaitsForTheNextServer) {
  Channel channel = Open();
  server_->Kill();
  Idle();
  std::thread starter([this] {
    Idle();
    server_ = StartServing(address());
  });
  CallOptions options;
  options.wait_for_ready = true;
  absl::StatusOr<EchoReply> reply = Call(channel, options);
  starter.join();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->pid(), server_->pid());
}

TEST_P(ReconnectTest, ACallThatWaitsForReadyWaitsNoLongerThanItMay) {
  Channel channel = Open();
  server_->Kill();
  Idle();
  CallOptions options;
  options.wait_for_ready = true;
  options.timeout = absl::Milliseconds(40);
  absl::Status late = Call(channel, options).status();
  EXPECT_EQ(late.code(), StatusCode::kDeadlineExceeded) << late;
  EXPECT_EQ(CallFailureOf(late)->delivery, CallFailure::Delivery::kNotSent);
}

TEST_P(ReconnectTest, ACallThatMayHaveRunIsNotRepeated) {
  Channel channel = Open();
  std::thread killer([this] {
    Idle();
    server_->Kill();
    server_ = StartServing(address());
  });
  absl::Status lost = EchoStub(channel).Block(Empty()).status();
  killer.join();
  EXPECT_EQ(lost.code(), StatusCode::kUnavailable) << lost;
  EXPECT_EQ(CallFailureOf(lost)->delivery, CallFailure::Delivery::kMaybeExecuted);
  EXPECT_TRUE(Call(channel).ok());
}

TEST_P(ReconnectTest, AChannelThatMustNotConnectAgainStaysLost) {
  ChannelOptions options;
  options.reconnect = Reconnect::kNever;
  Channel channel = Open(options);
  server_->Kill();
  server_ = StartServing(address());
  EXPECT_EQ(Call(channel).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Call(channel).status().code(), StatusCode::kUnavailable);
}

TEST_P(ReconnectTest, AtOnceConnectsWithoutACall) {
  ChannelOptions options;
  options.reconnect = Reconnect::kAtOnce;
  Channel channel = Open(options);
  server_->Kill();
  log_.Await(Event::Type::kConnectFailed, 2);
  server_ = StartServing(address());
  log_.Await(Event::Type::kConnected, 2);
  absl::StatusOr<EchoReply> reply = Call(channel);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->pid(), server_->pid());
}

TEST_P(ReconnectTest, AChannelCanGoWhileItTriesToConnect) {
  ChannelOptions options;
  options.reconnect = Reconnect::kAtOnce;
  Channel channel = Open(options);
  server_->Kill();
  log_.Await(Event::Type::kConnectFailed, 1);
}

TEST_P(ReconnectTest, CloseEndsACallThatWaitsForAServer) {
  Channel channel = Open();
  server_->Kill();
  std::thread closer([&] {
    Idle();
    channel.Close();
  });
  Idle();
  CallOptions options;
  options.wait_for_ready = true;
  EXPECT_EQ(Call(channel, options).status().code(), StatusCode::kCancelled);
  closer.join();
  EXPECT_EQ(Call(channel).status().code(), StatusCode::kCancelled);
}

TEST_P(ReconnectTest, ManyThreadsSurviveManyServers) {
  Channel channel = Open();
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      CallOptions options;
      options.wait_for_ready = true;
      while (!stop) {
        absl::Status status = Call(channel, options).status();
        if (status.ok()) ++answered;
        EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    for (int before = answered; answered < before + 50;) std::this_thread::yield();
    server_->Kill();
    server_ = StartServing(address());
  }
  for (int before = answered; answered < before + 50;) std::this_thread::yield();
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

// Greets, and closes.
TEST(GreetAndGoTest, AtOnceIsNotAgainAndAgain) {
  TempFolder folder;
  std::string path = folder / "server";
  std::unique_ptr<Listener> listener = *ListenUnix(path);
  std::atomic<bool> stop{false};
  int accepted = 0;
  std::thread serving([&] {
    while (!stop) {
      auto transport = listener->TryAccept();
      if (!transport.ok() || *transport == nullptr) {
        std::this_thread::yield();
        continue;
      }
      RawSession session(*std::move(transport), 0);
      ++accepted;
    }
  });
  EventLog log;
  ChannelOptions options;
  options.reconnect = Reconnect::kAtOnce;
  options.on_event = log.sink();
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  absl::StatusOr<Channel> channel = Connect("unix:" + path, options);
  ASSERT_TRUE(channel.ok()) << channel.status();
  log.Await(Event::Type::kConnected, 5);
  // Pauses of 10, 20, 40 and 80 ms, give or take a fifth.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(120));
  channel->Close();
  stop = true;
  serving.join();
}

INSTANTIATE_TEST_SUITE_P(Transports, ReconnectTest, testing::Values("unix", "named-pipe", "shm"),
                         NameOfScheme);

}  // namespace
}  // namespace ferry::test
