// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Calls and their outcomes, both ends in one process.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "ferry/rpc/call_failure.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

class CallTest : public testing::Test {
 protected:
  static ServerOptions Limited() {
    ServerOptions options;
    options.max_message = 1000000;
    return options;
  }

  void ExpectFailure(const absl::Status& status, StatusCode code, const std::string& message,
                     CallFailure::Origin origin, CallFailure::Delivery delivery) {
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message(), message);
    std::optional<CallFailure> failure = CallFailureOf(status);
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->origin, origin);
    EXPECT_EQ(failure->delivery, delivery);
  }

  static constexpr auto kHere = CallFailure::Origin::kHere;
  static constexpr auto kThere = CallFailure::Origin::kThere;
  static constexpr auto kNotSent = CallFailure::Delivery::kNotSent;
  static constexpr auto kMaybe = CallFailure::Delivery::kMaybeExecuted;

  EchoServer server_{"inproc:call_test", Limited()};
  EchoStub stub_{server_.Connect()};
};

TEST_F(CallTest, BothFormsReturnTheReply) {
  EchoRequest request;
  request.set_payload("hello");
  absl::StatusOr<EchoReply> reply = stub_.Echo(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->payload(), "hello");
  EchoReply reused = *reply;
  request.set_payload("again");
  EXPECT_TRUE(stub_.Echo(request, &reused).ok());
  EXPECT_EQ(reused.payload(), "again");
}

TEST_F(CallTest, MessagesOfEverySizeGoBothWays) {
  for (size_t size : std::vector<size_t>{0, 1, 65000, 65536, 65537, 131072, 999000}) {
    EchoRequest request;
    request.set_payload(std::string(size, 'm'));
    absl::StatusOr<EchoReply> reply = stub_.Echo(request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_TRUE(reply->payload() == request.payload());
  }
}

TEST_F(CallTest, AHandlersStatusArrivesWhole) {
  FailRequest request;
  for (int code = 1; code <= 16; ++code) {
    request.set_code(code);
    request.set_message("\t\nwhite \r\n \xE2\x98\xBA and no UTF-8 \xff\n");
    request.set_detail_url("example.com/detail");
    request.set_detail(std::string("\0\xff", 2));
    absl::Status status = stub_.Fail(request).status();
    EXPECT_EQ(status.code(), static_cast<StatusCode>(code));
    EXPECT_EQ(status.message(), request.message());
    EXPECT_EQ(status.GetPayload("example.com/detail").value(), request.detail());
  }
}

TEST_F(CallTest, UnknownAndUnimplementedMethodsAreNamed) {
  UnknownStub unknown(server_.Connect());
  ExpectFailure(unknown.Call(Empty()).status(), StatusCode::kUnimplemented,
                "ferry.test.Unknown/Call is not served by the other end of inproc:call_test",
                kThere, kMaybe);
  ExpectFailure(stub_.NotImplemented(Empty()).status(), StatusCode::kUnimplemented,
                "ferry.test.Echo/NotImplemented is not implemented", kThere, kMaybe);
}

TEST_F(CallTest, AMessageThePeerDoesNotAcceptIsNotSent) {
  EchoRequest request;
  request.set_payload(std::string(1000000, 'x'));
  ExpectFailure(stub_.Echo(request).status(), StatusCode::kResourceExhausted,
                "ferry.test.Echo/Echo: a ferry.test.EchoRequest of 1000004 bytes, at most 1000000 "
                "are allowed by the peer",
                kHere, kNotSent);
  EXPECT_TRUE(stub_.Echo(EchoRequest()).ok());
}

TEST_F(CallTest, AMessageOverOnesOwnLimitIsNotSent) {
  ChannelOptions options;
  options.max_message = 100;
  EchoStub stub(server_.Connect(options));
  EchoRequest request;
  request.set_payload(std::string(100, 'x'));
  ExpectFailure(stub.Echo(request).status(), StatusCode::kResourceExhausted,
                "ferry.test.Echo/Echo: a ferry.test.EchoRequest of 102 bytes, at most 100 are "
                "allowed by this side",
                kHere, kNotSent);
  request.set_payload(std::string(50, 'x'));
  request.set_grow(1000);
  absl::Status status = stub.Echo(request).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("at most 100 are allowed by the peer"), std::string::npos)
      << status;
  EXPECT_TRUE(stub.Echo(EchoRequest()).ok());
}

TEST_F(CallTest, RequiredFieldsAreRequiredOnBothSides) {
  ExpectFailure(stub_.TakeStrict(Strict()).status(), StatusCode::kInvalidArgument,
                "ferry.test.Echo/TakeStrict: a ferry.test.Strict lacks required fields: name",
                kHere, kNotSent);
  ExpectFailure(stub_.GiveStrict(Empty()).status(), StatusCode::kInvalidArgument,
                "a ferry.test.Strict lacks required fields: name", kThere, kMaybe);
}

TEST_F(CallTest, TheTimeoutEndsACallAndNoOther) {
  CallOptions options;
  options.timeout = absl::Milliseconds(20);
  ExpectFailure(stub_.Block(Empty(), options).status(), StatusCode::kDeadlineExceeded,
                "ferry.test.Echo/Block: no reply from the other end of inproc:call_test in time",
                kHere, kMaybe);
  EXPECT_TRUE(stub_.Echo(EchoRequest(), options = {}).ok());
  EXPECT_TRUE(stub_.Release(Empty()).ok());
  // The late reply meets nobody.
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(stub_.Echo(EchoRequest()).ok());
}

TEST_F(CallTest, ManyThreadsShareAChannel) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        EchoRequest request;
        size_t size = i % 50 == 0 ? 200000u : static_cast<size_t>(i);
        request.set_payload(std::string(size, static_cast<char>('a' + t)));
        CallOptions options;
        if (i % 2 == 0) options.timeout = absl::Minutes(1);
        absl::StatusOr<EchoReply> reply = stub_.Echo(request, options);
        ASSERT_TRUE(reply.ok()) << reply.status();
        ASSERT_TRUE(reply->payload() == request.payload());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CallTest, ClosingTheChannelEndsItsCalls) {
  Channel channel = server_.Connect();
  std::thread closer([&] {
    server_.service.AwaitBlocked(1);
    channel.Close();
  });
  ExpectFailure(EchoStub(channel).Block(Empty()).status(), StatusCode::kCancelled,
                "ferry.test.Echo/Block: the channel was closed", kHere, kMaybe);
  closer.join();
  ExpectFailure(EchoStub(channel).Echo(EchoRequest()).status(), StatusCode::kCancelled,
                "ferry.test.Echo/Echo: the channel was closed", kHere, kNotSent);
}

TEST_F(CallTest, EveryPendingCallOfALostConnectionFailsOnce) {
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  Channel channel = server_.Connect();
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      absl::Status status = EchoStub(channel).Block(Empty()).status();
      EXPECT_EQ(status.code(), StatusCode::kCancelled) << status;
      ++failed;
    });
  }
  server_.service.AwaitBlocked(8);
  channel.Close();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 8);
}

TEST(ServerTest, AServiceIsRegisteredOnce) {
  EchoImpl one, two;
  Server server;
  server.Register(one);
  server.Register(two);
  absl::Status status = server.Serve("inproc:never");
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "ferry.test.Echo/Echo is registered already");
}

TEST(ServerTest, AStatusOfNobodyCarriesNoFailure) {
  EXPECT_EQ(CallFailureOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(CallFailureOf(absl::InternalError("x")), std::nullopt);
}

}  // namespace
}  // namespace ferry::test
