// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Callers that send more than the server has room for.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/transport/inproc_transport.h"
#include "tests/rpc/echo_service.h"
#include "tests/rpc/raw_server.h"
#include "tests/support/resident_memory.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using absl::StatusCode;
using testing::TestWithParam;

EchoRequest Sized(size_t bytes) {
  EchoRequest request;
  request.set_payload(std::string(bytes, 'x'));
  return request;
}

// With a server whose credit the test gives frame by frame.
class CreditFramesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::thread accepting([this] { session_ = server_.Accept(100); });
    channel_ = Connect("inproc:credit_frames");
    accepting.join();
    ASSERT_TRUE(channel_.ok()) << channel_.status();
  }
  ~CreditFramesTest() override {
    session_.reset();  // ends the calls
    for (std::thread& caller : callers_) caller.join();
  }

  void StartCall(size_t bytes) {
    callers_.emplace_back(
        [this, bytes] { EchoStub(*channel_).Echo(Sized(bytes)).status().IgnoreError(); });
  }

  RawServer server_{"credit_frames"};
  std::unique_ptr<RawSession> session_;
  absl::StatusOr<Channel> channel_;
  std::vector<std::thread> callers_;
};

TEST_F(CreditFramesTest, AnyCreditAllowsOneRequestWhateverItsSizeAndNoneTheNext) {
  StartCall(1000);
  EXPECT_EQ(session_->Expect(FrameType::kRequest).length, 1003u);
  StartCall(10);
  EXPECT_TRUE(session_->IsSilent());
  FrameHeader credit = HeaderOf(FrameType::kCredit);
  credit.arg = 903;  // to zero
  session_->Send(credit);
  EXPECT_TRUE(session_->IsSilent());
  credit.arg = 1;
  session_->Send(credit);
  EXPECT_EQ(session_->Expect(FrameType::kRequest).length, 12u);
}

TEST_F(CreditFramesTest, ARepliesCreditLetsTheNextCallGo) {
  StartCall(1000);
  FrameHeader reply = HeaderOf(FrameType::kReply, session_->Expect(FrameType::kRequest).call);
  StartCall(10);
  EXPECT_TRUE(session_->IsSilent());
  reply.arg = 1003;
  session_->Send(reply);
  session_->Expect(FrameType::kRequest);
}

TEST_F(CreditFramesTest, ACallWithoutCreditWaitsToItsDeadlineAndWasNotSent) {
  StartCall(1000);
  session_->Expect(FrameType::kRequest);
  CallOptions options;
  options.timeout = absl::Milliseconds(20);
  absl::Status late = EchoStub(*channel_).Echo(Sized(10), options).status();
  EXPECT_EQ(late.code(), StatusCode::kDeadlineExceeded) << late;
  EXPECT_TRUE(absl::StrContains(late.message(), "no room in time for a request of 12 bytes"))
      << late;
  EXPECT_EQ(CallFailureOf(late)->delivery, CallFailure::Delivery::kNotSent);
}

TEST(ReturnedCreditTest, WhatACallThatCouldNotBeSentGivesBackLetsTheNextGo) {
  RawServer server("returned_credit");
  std::unique_ptr<internal::Connection> connection;
  std::thread connecting([&] {
    connection = std::make_unique<internal::Connection>(*ConnectInproc("returned_credit"),
                                                        internal::Connection::Side::kConnected,
                                                        internal::ConnectionOptions(), nullptr);
    EXPECT_TRUE(connection->AwaitHello(kNoDeadline).ok());
  });
  std::unique_ptr<RawSession> session = server.Accept(100);
  connecting.join();
  internal::Caller& caller = connection->caller();
  auto begin = [&](internal::PendingCall& call) {
    internal::MutexLock lock(caller.mutex());
    ASSERT_TRUE(caller.Begin(call));
  };
  Method method("ferry.test.Echo/Echo", CallShape::kUnary, Execution::kInline);
  EchoRequest request;
  Strict incomplete;
  EchoReply replies[3];
  internal::PendingCall first(method, &request, request.ByteSizeLong(), &replies[0]);
  begin(first);
  internal::PendingCall unsent(method, &incomplete, 1000, &replies[1]);
  begin(unsent);
  std::thread waiting([&] {
    internal::PendingCall call(method, &request, request.ByteSizeLong(), &replies[2]);
    begin(call);
    EXPECT_TRUE(caller.Finish(call, kNoDeadline).ok());
  });
  std::thread reading([&] { EXPECT_TRUE(caller.Finish(first, kNoDeadline).ok()); });
  session->Send(HeaderOf(FrameType::kReply, session->Expect(FrameType::kRequest).call));
  reading.join();
  EXPECT_TRUE(session->IsSilent());  // meanwhile the one that waits begins to read
  EXPECT_EQ(caller.Finish(unsent, kNoDeadline).code(), StatusCode::kInvalidArgument);
  session->Send(HeaderOf(FrameType::kReply, session->Expect(FrameType::kRequest).call));
  waiting.join();
}

class RequestCreditTest : public TestWithParam<const char*> {
 protected:
  static ServerOptions Small() {
    ServerOptions options;
    options.request_credit = 16 * 1024;
    return options;
  }

  std::string address() { return std::string(GetParam()) + ":" + (folder_ / "server"); }

  TempFolder folder_;
};

TEST_P(RequestCreditTest, OneHundredThousandCallsAgainstASmallCreditAreAllAnswered) {
  EchoServer server(address(), Small());
  Channel channel = server.Connect();
  constexpr int kThreads = 16, kCalls = 100'000 / kThreads;
  std::atomic<int> answered{0};
  auto call = [&](int calls) {
    EchoStub stub(channel);
    EchoRequest request = Sized(4000);
    EchoReply reply;
    for (int i = 0; i < calls; ++i) answered += stub.Echo(request, &reply).ok();
  };
  auto call_on_all_threads = [&](int calls) {
    std::vector<std::thread> callers;
    for (int i = 0; i < kThreads; ++i) callers.emplace_back(call, calls);
    for (std::thread& caller : callers) caller.join();
  };
  call_on_all_threads(100);
  size_t before = ResidentMemory(getpid());
  answered = 0;
  call_on_all_threads(kCalls);
  EXPECT_EQ(answered, kThreads * kCalls);
  EXPECT_LT(ResidentMemory(getpid()), before + 4 * 1024 * 1024);
}

TEST_P(RequestCreditTest, AHandlerThatRunsHoldsNoCredit) {
  EchoServer server(address(), Small());
  Channel channel = server.Connect();
  std::vector<std::thread> blocked;
  for (int i = 0; i < 3; ++i) {
    blocked.emplace_back([&] {
      Empty request;  // with fields that it does not know, larger than the credit
      EXPECT_TRUE(request.ParseFromString(Sized(40'000).SerializeAsString()));
      EXPECT_TRUE(EchoStub(channel).Hold(request).ok());
    });
  }
  server.service.AwaitBlocked(3);
  EXPECT_TRUE(EchoStub(channel).Echo(Sized(10)).ok());
  server.service.LetGo();
  for (std::thread& caller : blocked) caller.join();
}

INSTANTIATE_TEST_SUITE_P(Transports, RequestCreditTest,
                         testing::Values("unix", "named-pipe", "shm"), NameOfScheme);

}  // namespace
}  // namespace ferry::test
