// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a channel does when a server says that it takes no more calls, or says nothing.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/transport/inproc_transport.h"
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

TEST_F(TurnedAwayTest, NothingIsToldOnceTheChannelHasGone) {
  std::atomic<bool> has_gone{false};
  ChannelOptions options;
  options.reconnect = Reconnect::kAtOnce;
  options.on_event = [&](const Event&) { EXPECT_FALSE(has_gone); };
  std::unique_ptr<RawSession> session;
  {
    std::thread accepting([&] { session = server_.Accept(); });
    absl::StatusOr<Channel> channel = Connect("inproc:turned_away", options);
    accepting.join();
    ASSERT_TRUE(channel.ok()) << channel.status();
    session.reset();
    // Until its thread has connected again, and waits for a hello.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  has_gone = true;
  session = server_.Accept();
  Frame frame;
  while (session->transport().TryRead(frame) != ReadResult::kClosed) session->transport().Wait({});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

// Sleeps longer than it shall, while the answer to the ping arrives.
class LateReader final : public internal::FrameReader {
 public:
  void set_caller(internal::Caller* caller) { caller_ = caller; }

 private:
  Step HandleNext() override {
    if (sleeps_ < 2) return Step::kEmpty;
    sleeps_ = 0;
    FrameHeader reply = HeaderOf(FrameType::kReply, CallId::Make(0, 0, 1));
    internal::Assembly nothing;
    internal::Body body(nothing);
    EXPECT_TRUE(caller_->OnReply(reply, body).ok());
    return Step::kHandled;
  }
  void WaitForFrames(Deadline deadline, bool) override {
    std::this_thread::sleep_until(deadline + std::chrono::milliseconds(1));
    ++sleeps_;
  }

  internal::Caller* caller_ = nullptr;
  int sleeps_ = 0;
};

TEST(KeepaliveTest, AnAnswerThatIsThereCountsThoughItIsReadLate) {
  std::unique_ptr<Listener> listener = *ListenInproc("keepalive");
  std::unique_ptr<Transport> transport = *ConnectInproc("keepalive");
  internal::Mutex mutex;
  internal::Sender sender(*transport, 1000);
  LateReader reader;
  internal::CallerOptions options;
  options.keepalive = absl::Milliseconds(5);
  internal::Caller caller(mutex, *transport, sender, reader, options);
  reader.set_caller(&caller);
  Method method("ferry.test.Echo/Echo", CallShape::kUnary, Execution::kInline);
  EchoRequest request;
  EchoReply reply;
  internal::PendingCall call(method, &request, request.ByteSizeLong(), &reply);
  {
    internal::MutexLock lock(caller.mutex());
    ASSERT_TRUE(caller.Begin(call));
  }
  EXPECT_TRUE(caller.Finish(call, kNoDeadline).ok());
  EXPECT_TRUE(transport->close_reason().ok()) << transport->close_reason();
}

class DrainingServerTest : public TurnedAwayTest {
 protected:
  void Connect(uint64_t request_credit) {
    std::thread connecting([this] { channel_ = ferry::Connect("inproc:turned_away"); });
    session_ = server_.Accept(request_credit);
    connecting.join();
    ASSERT_TRUE(channel_.ok()) << channel_.status();
  }
  void Call(const CallOptions& options = {}) {
    EchoRequest request;
    request.set_payload("x");
    outcome_ = EchoStub(*channel_).Echo(request, options).status();
  }

  absl::StatusOr<Channel> channel_;
  std::unique_ptr<RawSession> session_;
};

TEST_F(DrainingServerTest, CloseEndsACallThatItStillRuns) {
  Connect(0);
  caller_ = std::thread([this] { Call(); });
  session_->Expect(FrameType::kRequest);
  session_->GoAway(StatusCode::kOk, "");
  session_->AwaitHandled();
  std::thread next([this] {  // which leaves the first connection to that call
    EXPECT_TRUE(EchoStub(*channel_).Echo(EchoRequest()).ok());
  });
  std::unique_ptr<RawSession> second = server_.Accept();
  Answer(*second);
  next.join();
  channel_->Close();
  ExpectOutcome(StatusCode::kCancelled, "the channel was closed", kMaybe);
}

TEST_F(DrainingServerTest, ACallThatWaitsThereForCreditGoesToTheNextServer) {
  Connect(1);
  CallOptions brief;
  brief.timeout = absl::Milliseconds(10);
  Call(brief);  // takes the credit
  session_->Expect(FrameType::kRequest);
  session_->Expect(FrameType::kCancel);
  caller_ = std::thread([this] { Call(); });
  EXPECT_TRUE(session_->IsSilent());
  session_->GoAway(StatusCode::kOk, "");
  std::unique_ptr<RawSession> second = server_.Accept();
  Answer(*second);
  caller_.join();
  EXPECT_TRUE(outcome_.ok()) << outcome_;
}

}  // namespace
}  // namespace ferry::test
