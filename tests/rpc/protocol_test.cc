// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A server against a peer that speaks frame by frame, and not always well.

#include <gtest/gtest.h>

#include <cstring>

#include "ferry/proto/wire.pb.h"
#include "ferry/transport/inproc_transport.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

constexpr uint64_t kEcho = MethodId("ferry.test.Echo/Echo");
constexpr CallId kCall = CallId::Make(0, 3, 5);

class ProtocolTest : public testing::Test {
 protected:
  static ServerOptions Limited() {
    ServerOptions options;
    options.max_message = 100000;
    options.max_connection_memory = 200000;
    return options;
  }

  void SetUp() override {
    while (peer_ == nullptr) {
      absl::StatusOr<std::unique_ptr<Transport>> connected = ConnectInproc("protocol_test");
      if (connected.ok()) peer_ = *std::move(connected);
    }
    Expect(FrameType::kHello, &payload_);
    wire::Hello hello;
    ASSERT_TRUE(hello.ParseFromString(payload_));
    EXPECT_EQ(hello.min_version(), 1u);
    EXPECT_EQ(hello.max_version(), 1u);
    EXPECT_EQ(hello.max_message(), 100000u);
    EXPECT_EQ(hello.max_frame(), kMaxFrame);
  }

  static FrameHeader Header(FrameType type) {
    FrameHeader header;
    header.type = type;
    return header;
  }

  static FrameHeader Request(uint64_t method = kEcho, CallId call = kCall) {
    FrameHeader header = Header(FrameType::kRequest);
    header.flags = kFlagEnd;
    header.call = call;
    header.method = method;
    return header;
  }

  void Send(const FrameHeader& header, const std::string& payload = "") {
    Reservation reservation;
    ASSERT_EQ(peer_->Reserve(header, payload.size(), reservation), ReserveResult::kOk);
    std::memcpy(reservation.data, payload.data(), payload.size());
    peer_->Commit(reservation);
    peer_->Flush(kNoDeadline);
  }

  void SendHello() {
    wire::Hello hello;
    hello.set_min_version(1);
    hello.set_max_version(5);
    hello.set_max_frame(kMaxFrame);
    FrameHeader header = Header(FrameType::kHello);
    header.method = kHelloMagic;
    Send(header, hello.SerializeAsString());
  }

  FrameHeader Expect(FrameType type, std::string* payload = nullptr) {
    Frame frame;
    ReadResult result;
    while ((result = peer_->TryRead(frame)) == ReadResult::kEmpty) peer_->Wait({});
    EXPECT_EQ(result, ReadResult::kFrame);
    if (result != ReadResult::kFrame) return {};
    EXPECT_EQ(FrameTypeName(frame.header.type), FrameTypeName(type));
    if (payload != nullptr) payload->assign(frame.payload, frame.header.length);
    FrameHeader header = frame.header;
    peer_->Release();
    return header;
  }

  void ExpectReply(absl::StatusCode code, const std::string& message) {
    FrameHeader reply = Expect(FrameType::kReply, &payload_);
    EXPECT_EQ(reply.call, kCall);
    EXPECT_EQ(static_cast<absl::StatusCode>(reply.aux), code);
    wire::Status status;
    ASSERT_TRUE(status.ParseFromString(payload_));
    EXPECT_EQ(status.message(), message);
  }

  void ExpectClosed() {
    Frame frame;
    ReadResult result;
    while ((result = peer_->TryRead(frame)) == ReadResult::kEmpty) peer_->Wait({});
    EXPECT_EQ(result, ReadResult::kClosed);
  }

  void ExpectAlive() {
    Send(Request());
    FrameHeader reply = Expect(FrameType::kReply);
    EXPECT_EQ(reply.aux, 0);
    EXPECT_EQ(reply.call, kCall);
  }

  EchoServer server_{"inproc:protocol_test", Limited()};
  std::unique_ptr<Transport> peer_;
  std::string payload_;
};

TEST_F(ProtocolTest, RequestsMayFollowTheHelloUnawaited) {
  SendHello();
  ExpectAlive();
}

TEST_F(ProtocolTest, NothingComesBeforeTheHello) {
  Send(Request());
  ExpectClosed();
}

TEST_F(ProtocolTest, ASecondHelloIsBroken) {
  SendHello();
  ExpectAlive();
  SendHello();
  ExpectClosed();
}

TEST_F(ProtocolTest, AHelloThatCannotBeParsedIsBroken) {
  FrameHeader header = Header(FrameType::kHello);
  header.method = kHelloMagic;
  Send(header, "\xff\xff");
  ExpectClosed();
}

TEST_F(ProtocolTest, AnIdOfTheWrongSideIsBroken) {
  SendHello();
  Send(Request(kEcho, CallId::Make(1, 3, 5)));
  ExpectClosed();
}

TEST_F(ProtocolTest, AnIdWithoutGenerationIsBroken) {
  SendHello();
  Send(Request(kEcho, CallId::Make(0, 3, 0)));
  ExpectClosed();
}

TEST_F(ProtocolTest, AReplyToNothingIsBroken) {
  SendHello();
  FrameHeader reply = Header(FrameType::kReply);
  reply.call = CallId::Make(1, 0, 1);
  Send(reply);
  ExpectClosed();
}

TEST_F(ProtocolTest, WhatBelongsToACallThatIsNotOpenIsDropped) {
  SendHello();
  for (FrameType type : {FrameType::kMessage, FrameType::kCancel, FrameType::kCredit}) {
    FrameHeader header = Header(type);
    header.call = kCall;
    header.arg = type == FrameType::kCredit ? 1 : 0;
    Send(header);
  }
  ExpectAlive();
}

TEST_F(ProtocolTest, APingIsAnswered) {
  SendHello();
  FrameHeader ping = Header(FrameType::kPing);
  ping.method = 77;
  Send(ping);
  FrameHeader answer = Expect(FrameType::kPing);
  EXPECT_EQ(answer.flags, kFlagAck);
  EXPECT_EQ(answer.method, 77u);
}

TEST_F(ProtocolTest, WhatIsNotUsedIsTakenIn) {
  SendHello();
  Send(Header(FrameType::kGoAway));
  Send(Header(static_cast<FrameType>(0x80)), "anything");
  FrameHeader unknown = Header(static_cast<FrameType>(0xff));
  unknown.call.value = 2;  // whatever that means to them
  Send(unknown);
  ExpectAlive();
}

TEST_F(ProtocolTest, AnUnknownMethodIsUnimplemented) {
  SendHello();
  Send(Request(12345));
  ExpectReply(absl::StatusCode::kUnimplemented, "");
  ExpectAlive();
}

TEST_F(ProtocolTest, ARequestThatCannotBeParsedIsNamed) {
  SendHello();
  Send(Request(), "\xff\xff\xff");
  ExpectReply(absl::StatusCode::kInvalidArgument,
              "ferry.test.Echo/Echo: request of 3 bytes is not a valid ferry.test.EchoRequest");
  Send(Request(MethodId("ferry.test.Echo/TakeStrict")));
  ExpectReply(absl::StatusCode::kInvalidArgument,
              "ferry.test.Echo/TakeStrict: request of 0 bytes is not a valid ferry.test.Strict");
  ExpectAlive();
}

TEST_F(ProtocolTest, AnOversizedRequestIsRefusedWithBothSizesAndItsRestDropped) {
  SendHello();
  Send(Request(), std::string(1000000, 'x'));
  ExpectReply(absl::StatusCode::kResourceExhausted,
              "message of 1000000 bytes, at most 100000 are accepted");
  EXPECT_EQ(Expect(FrameType::kCredit).arg, 1000000u);  // when the last of it has been dropped
  ExpectAlive();
}

TEST_F(ProtocolTest, ARepliesArgGivesTheCreditOfItsRequestBack) {
  SendHello();
  EchoRequest request;
  request.set_payload("hello");
  Send(Request(), request.SerializeAsString());
  EXPECT_EQ(Expect(FrameType::kReply).arg, 7u);
  Send(Request(MethodId("ferry.test.Echo/Nothing")), "12345");
  EXPECT_EQ(Expect(FrameType::kReply).arg, 5u);
  Send(Request(), "no message");
  EXPECT_EQ(Expect(FrameType::kReply).arg, 10u);
}

TEST_F(ProtocolTest, UnfinishedRequestsAreBounded) {
  SendHello();
  FrameHeader first = Request();
  first.flags |= kFlagMore;
  for (uint32_t i = 0; i < 4; ++i) {
    first.call = CallId::Make(0, i, 1);
    Send(first, std::string(60000, 'x'));
  }
  FrameHeader reply = Expect(FrameType::kReply, &payload_);
  EXPECT_EQ(reply.call, first.call);
  EXPECT_EQ(static_cast<absl::StatusCode>(reply.aux), absl::StatusCode::kResourceExhausted);
  ExpectAlive();
}

TEST_F(ProtocolTest, FragmentsThatContradictEachOtherAreBroken) {
  SendHello();
  FrameHeader first = Request();
  first.flags |= kFlagMore;
  Send(first, "abc");
  FrameHeader second = Header(FrameType::kContinue);
  second.call = kCall;
  second.flags = kFlagMore;
  second.arg = 10;
  Send(second, "def");
  second.arg = 9;
  Send(second, "ghi");
  ExpectClosed();
}

TEST_F(ProtocolTest, ARequestWithinARequestIsBroken) {
  SendHello();
  FrameHeader first = Request();
  first.flags |= kFlagMore;
  Send(first, "abc");
  Send(Request());
  ExpectClosed();
}

TEST_F(ProtocolTest, AContinueOfNothingIsBroken) {
  SendHello();
  FrameHeader stray = Header(FrameType::kContinue);
  stray.call = kCall;
  stray.arg = 3;
  Send(stray, "abc");
  ExpectClosed();
}

}  // namespace
}  // namespace ferry::test
