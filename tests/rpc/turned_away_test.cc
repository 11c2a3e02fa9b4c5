// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a channel does when a server says that it takes no more calls, or says nothing.

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/match.h"
#include "ferry/rpc/call_failure.h"
#include "tests/rpc/echo_service.h"
#include "tests/rpc/raw_server.h"

namespace ferry::test {
namespace {

using absl::StatusCode;
constexpr auto kNotSent = CallFailure::Delivery::kNotSent;
constexpr auto kMaybe = CallFailure::Delivery::kMaybeExecuted;

class TurnedAwayTest : public testing::Test {
 protected:
  ~TurnedAwayTest() override {
    if (caller_.joinable()) caller_.join();
  }

  // Connects, and begins to call once connected.
  std::unique_ptr<RawSession> StartCall(const ChannelOptions& options = {}, int calls = 1) {
    caller_ = std::thread([this, options, calls] {
      absl::StatusOr<Channel> channel = Connect("inproc:turned_away", options);
      ASSERT_TRUE(channel.ok()) << channel.status();
      for (int i = 0; i < calls; ++i) outcome_ = EchoStub(*channel).Echo(EchoRequest()).status();
    });
    return server_.Accept();
  }

  void ExpectOutcome(StatusCode code, const char* text, CallFailure::Delivery delivery) {
    caller_.join();
    EXPECT_EQ(outcome_.code(), code) << outcome_;
    EXPECT_TRUE(absl::StrContains(outcome_.message(), text)) << outcome_;
    ASSERT_TRUE(CallFailureOf(outcome_).has_value());
    EXPECT_EQ(CallFailureOf(outcome_)->delivery, delivery);
  }

  static void Answer(RawSession& session) {
    FrameHeader request = session.Expect(FrameType::kRequest);
    session.Send(HeaderOf(FrameType::kReply, request.call));
  }

  RawServer server_{"turned_away"};
  std::thread caller_;
  absl::Status outcome_;
};

TEST_F(TurnedAwayTest, ACallThatWasNotTakenGoesToTheNextServer) {
  std::unique_ptr<RawSession> first = StartCall();
  first->Expect(FrameType::kRequest);
  first->GoAway(StatusCode::kUnavailable, "shut down");
  std::unique_ptr<RawSession> second = server_.Accept();
  Answer(*second);
  caller_.join();
  EXPECT_TRUE(outcome_.ok()) << outcome_;
}

TEST_F(TurnedAwayTest, ACallWhoseAnswerHasBegunIsNotRepeated) {
  std::unique_ptr<RawSession> session = StartCall();
  FrameHeader reply = HeaderOf(FrameType::kReply, session->Expect(FrameType::kRequest).call);
  reply.flags = kFlagMore;
  session->Send(reply, "x");
  session->GoAway(StatusCode::kUnavailable, "shut down");
  ExpectOutcome(StatusCode::kUnavailable, "shut down", kMaybe);
}

TEST_F(TurnedAwayTest, ACallOnABrokenConnectionIsNotRepeated) {
  std::unique_ptr<RawSession> session = StartCall();
  session->Expect(FrameType::kRequest);
  session.reset();
  ExpectOutcome(StatusCode::kUnavailable, "", kMaybe);
}

TEST_F(TurnedAwayTest, WithoutReconnectingACallThatWasNotTakenFailsAndSaysSo) {
  ChannelOptions options;
  options.reconnect = Reconnect::kNever;
  std::unique_ptr<RawSession> session = StartCall(options);
  session->Expect(FrameType::kRequest);
  session->GoAway(StatusCode::kUnavailable, "shut down");
  ExpectOutcome(StatusCode::kUnavailable, "shut down", kNotSent);
}

TEST_F(TurnedAwayTest, ACallGivesUpAfterThreeServersThatTurnItAway) {
  std::unique_ptr<RawSession> session = StartCall();
  for (int i = 0; i < 3; ++i) {
    if (i > 0) session = server_.Accept();
    session->Expect(FrameType::kRequest);
    session->GoAway(StatusCode::kUnavailable, "shut down");
  }
  ExpectOutcome(StatusCode::kUnavailable, "shut down", kNotSent);
}

TEST_F(TurnedAwayTest, AskedToOpenNoMoreCallsAChannelFinishesThoseThatAreOpen) {
  std::unique_ptr<RawSession> first = StartCall({}, 2);
  FrameHeader request = first->Expect(FrameType::kRequest);
  first->GoAway(StatusCode::kOk, "");
  first->Send(HeaderOf(FrameType::kReply, request.call));
  std::unique_ptr<RawSession> second = server_.Accept();
  Answer(*second);
  caller_.join();
  EXPECT_TRUE(outcome_.ok()) << outcome_;
}

TEST_F(TurnedAwayTest, CloseEndsCallsOnAConnectionThatOpensNoMore) {
  absl::StatusOr<Channel> channel = absl::UnknownError("");
  std::thread connecting([&] { channel = Connect("inproc:turned_away"); });
  std::unique_ptr<RawSession> first = server_.Accept();
  connecting.join();
  ASSERT_TRUE(channel.ok()) << channel.status();
  caller_ = std::thread([&] { outcome_ = EchoStub(*channel).Echo(EchoRequest()).status(); });
  first->Expect(FrameType::kRequest);
  first->GoAway(StatusCode::kOk, "");
  std::thread second_caller([&] { EchoStub(*channel).Echo(EchoRequest()).status().IgnoreError(); });
  std::unique_ptr<RawSession> second = server_.Accept();
  second->Expect(FrameType::kRequest);
  channel->Close();
  second_caller.join();
  ExpectOutcome(StatusCode::kCancelled, "the channel was closed", kMaybe);
}

TEST_F(TurnedAwayTest, ASilentServerIsAskedAndThenLeft) {
  ChannelOptions options;
  options.keepalive = absl::Milliseconds(20);
  std::unique_ptr<RawSession> session = StartCall(options);
  session->Expect(FrameType::kRequest);
  FrameHeader ping = session->Expect(FrameType::kPing);
  ping.flags = kFlagAck;
  session->Send(ping);                // alive, just slow
  session->Expect(FrameType::kPing);  // and now not
  ExpectOutcome(StatusCode::kUnavailable, "has sent nothing, nor answered a ping, for 40ms",
                kMaybe);
}

}  // namespace
}  // namespace ferry::test
