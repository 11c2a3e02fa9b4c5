// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a stub says and takes, frame by frame, in calls with streams, cancellation and metadata.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "ferry/rpc/call_failure.h"
#include "talk.ferry.h"
#include "tests/rpc/raw_server.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

Item Numbered(int number) {
  Item item;
  item.set_number(number);
  return item;
}
std::string Bytes(int number) { return Numbered(number).SerializeAsString(); }

class CalledProtocolTest : public testing::Test {
 protected:
  void Connect(uint64_t request_credit = 0, uint64_t stream_credit = 0) {
    std::thread connecting([this] {
      ChannelOptions options;
      options.stream_credit = 1000;
      absl::StatusOr<Channel> channel = ferry::Connect("inproc:called", options);
      ASSERT_TRUE(channel.ok()) << channel.status();
      stub_.emplace(*std::move(channel));
    });
    session_ = server_.Accept(request_credit, stream_credit);
    connecting.join();
  }
  ~CalledProtocolTest() override { EndCall(); }

  // Calls on a thread of its own, while the test plays the server.
  void Call(std::function<void()> call) { calling_ = std::thread(std::move(call)); }
  void EndCall() {
    if (calling_.joinable()) calling_.join();
  }

  std::string Next() { return session_->Next(); }
  FrameHeader Header(FrameType type, uint8_t flags = 0, uint32_t arg = 0) {
    FrameHeader header = HeaderOf(type, session_->call());
    header.flags = flags;
    header.arg = arg;
    return header;
  }

  RawServer server_{"called"};
  std::unique_ptr<RawSession> session_;
  std::optional<TalkStub> stub_;
  std::thread calling_;
};

TEST_F(CalledProtocolTest, AServerStream) {
  Connect();
  Call([this] {
    ClientReader<Item> reader = stub_->Count(Numbered(9));
    Item item;
    EXPECT_TRUE(reader.Read(&item) && item.number() == 1);
    EXPECT_TRUE(reader.Read(&item) && item.number() == 2);
    EXPECT_FALSE(reader.Read(&item));
    EXPECT_TRUE(reader.Finish().ok());
  });
  EXPECT_EQ(Next(), "request END + 2 bytes");
  EXPECT_EQ(session_->payload(), Bytes(9));
  session_->Send(Header(FrameType::kMessage), Bytes(1));
  session_->Send(Header(FrameType::kMessage), Bytes(2));
  session_->Send(Header(FrameType::kReply, kFlagEmpty));
  EndCall();
}

TEST_F(CalledProtocolTest, AClientStream) {
  Connect();
  Call([this] {
    Item sum;
    ClientWriter<Item> writer = stub_->Sum(&sum);
    EXPECT_TRUE(writer.Write(Numbered(3)));
    EXPECT_TRUE(writer.Finish().ok());
    EXPECT_EQ(sum.number(), 7);
  });
  EXPECT_EQ(Next(), "request EMPTY");
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_EQ(session_->payload(), Bytes(3));
  EXPECT_EQ(Next(), "message END EMPTY");
  session_->Send(Header(FrameType::kReply), Bytes(7));
  EndCall();
}

TEST_F(CalledProtocolTest, AWriterWaitsForCreditButMayOverdrawIt) {
  Connect(0, 27);
  Call([this] {
    Item sum;
    ClientWriter<Item> writer = stub_->Sum(&sum);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer.Write(Numbered(i)));
    EXPECT_TRUE(writer.Finish().ok());
  });
  EXPECT_EQ(Next(), "request EMPTY");
  EXPECT_EQ(Next(), "message + 2 bytes");  // of 26: one is left
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_TRUE(session_->IsSilent());
  session_->Send(Header(FrameType::kCredit, 0, 26));
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_EQ(Next(), "message END EMPTY");
  session_->Send(Header(FrameType::kReply), Bytes(7));
  EndCall();
}

TEST_F(CalledProtocolTest, AReaderGivesCreditWhenHalfOfItIsRead) {
  Connect();
  Call([this] {
    ClientReader<Item> reader = stub_->Count(Numbered(9));
    Item item;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(reader.Read(&item));
    EXPECT_TRUE(reader.Finish().ok());
  });
  EXPECT_EQ(Next(), "request END + 2 bytes");
  Item item;
  item.set_body(std::string(200, 'x'));
  for (int i = 0; i < 3; ++i) session_->Send(Header(FrameType::kMessage), item.SerializeAsString());
  EXPECT_EQ(Next(), "credit arg=681");  // three of 203 + 24
  session_->Send(Header(FrameType::kReply, kFlagEmpty));
  EndCall();
}

TEST_F(CalledProtocolTest, MetadataComeBeforeWhatTheyBelongTo) {
  Connect(1000);
  Call([this] {
    Metadata initial, trailing;
    CallOptions options;
    options.metadata.Add("id", "7");
    options.initial_metadata = &initial;
    options.trailing_metadata = &trailing;
    EXPECT_TRUE(stub_->Say(Numbered(1), options).ok());
    EXPECT_EQ(initial.Find("a"), "b");
    EXPECT_EQ(trailing.Find("c-bin"), "\xff");
  });
  EXPECT_EQ(Next(), "metadata + 9 bytes");
  CallId call = session_->call();
  EXPECT_EQ(Next(), "request END + 2 bytes");
  EXPECT_EQ(session_->call(), call);
  session_->Send(Header(FrameType::kMetadata),
                 "\x0a\x06\x0a\x01"
                 "a\x12\x01"
                 "b");
  session_->Send(Header(FrameType::kMetadata, kFlagTrailing),
                 "\x0a\x0a\x0a\x05"
                 "c-bin\x12\x01\xff");
  session_->Send(Header(FrameType::kReply, 0, 11), Bytes(1));
  EndCall();
}

TEST_F(CalledProtocolTest, ACancelledCallKeepsItsIdUntilTheReply) {
  Connect();
  ClientReader<Item> reader = stub_->Count(Numbered(9));
  EXPECT_EQ(Next(), "request END + 2 bytes");
  FrameHeader message = Header(FrameType::kMessage), reply = Header(FrameType::kReply, kFlagEmpty);
  reader.Cancel();
  reader.Cancel();
  EXPECT_EQ(Next(), "cancel");
  EXPECT_EQ(session_->call(), message.call);

  ClientReader<Item> second = stub_->Count(Numbered(9));
  EXPECT_EQ(Next(), "request END + 2 bytes");
  EXPECT_NE(session_->call().index(), message.call.index());
  session_->Send(message, Bytes(1));  // it has crossed the cancel
  session_->Send(reply);
  session_->Send(Header(FrameType::kReply, kFlagEmpty));
  EXPECT_TRUE(second.Finish().ok());
  EXPECT_EQ(reader.Finish().code(), StatusCode::kCancelled);

  ClientReader<Item> third = stub_->Count(Numbered(9));
  EXPECT_EQ(Next(), "request END + 2 bytes");
  EXPECT_EQ(session_->call().generation(), 2u);
  third.Cancel();
}

TEST_F(CalledProtocolTest, AOneWayCallSaysSoAndWaitsForNothing) {
  Connect();
  EXPECT_TRUE(stub_->Note(Numbered(1)).ok());
  EXPECT_EQ(Next(), "request END ONE_WAY + 2 bytes");
  session_->Send(Header(FrameType::kReply, kFlagEmpty));
  EXPECT_TRUE(stub_->Note(Numbered(1)).ok());
  EXPECT_EQ(Next(), "request END ONE_WAY + 2 bytes");
}

TEST_F(CalledProtocolTest, AnotherNumberOfRepliesIsUnimplemented) {
  Connect();
  Call([this] {
    EXPECT_EQ(stub_->Say(Numbered(1)).status().code(), StatusCode::kUnimplemented);
    EXPECT_EQ(stub_->Say(Numbered(1)).status().code(), StatusCode::kUnimplemented);
    EXPECT_EQ(stub_->Count(Numbered(1)).Finish().code(), StatusCode::kUnimplemented);
  });
  EXPECT_EQ(Next(), "request END + 2 bytes");
  session_->Send(Header(FrameType::kMessage), Bytes(1));
  EXPECT_EQ(Next(), "cancel");
  session_->Send(Header(FrameType::kReply, kFlagEmpty));
  EXPECT_EQ(Next(), "request END + 2 bytes");
  session_->Send(Header(FrameType::kReply, kFlagEmpty));
  EXPECT_EQ(Next(), "request END + 2 bytes");
  session_->Send(Header(FrameType::kReply), Bytes(1));
  EndCall();
}

TEST_F(CalledProtocolTest, MessagesWithoutCreditEndTheCallAndNoOther) {
  Connect();
  ClientReader<Item> reader = stub_->Count(Numbered(9));
  EXPECT_EQ(Next(), "request END + 2 bytes");
  Item large;
  large.set_body(std::string(900, 'x'));
  for (int i = 0; i < 3; ++i)
    session_->Send(Header(FrameType::kMessage), large.SerializeAsString());
  Call([&] {
    EXPECT_TRUE(stub_->Say(Numbered(1)).ok());  // reads them, and nobody takes them
    EXPECT_EQ(reader.Finish().code(), StatusCode::kResourceExhausted);
  });
  EXPECT_EQ(Next(), "request END + 2 bytes");
  session_->Send(Header(FrameType::kReply), Bytes(1));
  EXPECT_EQ(Next(), "cancel");
  EndCall();
}

TEST_F(CalledProtocolTest, AMessageThatIsNoneEndsTheCall) {
  Connect();
  Call([this] {
    ClientReader<Item> reader = stub_->Count(Numbered(9));
    Item item;
    EXPECT_FALSE(reader.Read(&item));
    absl::Status status = reader.Finish();
    EXPECT_EQ(status.code(), StatusCode::kInternal);
    EXPECT_EQ(status.message(),
              "ferry.test.Talk/Count: reply of 2 bytes is not a valid ferry.test.Item");
  });
  EXPECT_EQ(Next(), "request END + 2 bytes");
  session_->Send(Header(FrameType::kMessage), "\xff\xff");
  EXPECT_EQ(Next(), "cancel");
  EndCall();
}

// The call that the first was for is the caller's own by then.
TEST_F(CalledProtocolTest, ASecondReplyIsOfNoCall) {
  for (bool is_whole : {true, false}) {
    Connect();
    Call([this] {
      Item reply;
      EXPECT_EQ(stub_->Say(Numbered(1), &reply), absl::OkStatus());
      EXPECT_EQ(reply.number(), 7);
    });
    EXPECT_EQ(Next(), "request END + 2 bytes");
    const std::string seven = Numbered(7).SerializeAsString();
    if (is_whole) {
      session_->Send(Header(FrameType::kReply), seven);
    } else {
      session_->Send(Header(FrameType::kReply, kFlagMore), seven.substr(0, 1));
      session_->Send(ContinueHeader(session_->call(), seven.size() - 1, kMaxFrame),
                     seven.substr(1));
    }
    session_->Send(Header(FrameType::kReply), Numbered(8).SerializeAsString());
    EndCall();
    CallOptions options;
    options.timeout = absl::Milliseconds(50);  // it may find no connection
    EXPECT_NE(stub_->Say(Item(), options).status(), absl::OkStatus());
    std::string next = Next();
    if (next != "closed") next = Next();  // its request was sent
    EXPECT_EQ(next, "closed");
  }
}

// What ends the connection, and so the call.
struct BrokenAnswer {
  const char* name;
  FrameType type;
  uint8_t flags;
  const char* payload;
  bool is_for_another;
};

class BrokenAnswerTest : public CalledProtocolTest,
                         public testing::WithParamInterface<BrokenAnswer> {};
INSTANTIATE_TEST_SUITE_P(
    All, BrokenAnswerTest,
    testing::Values(BrokenAnswer{"MessageOfNoCall", FrameType::kMessage, 0, "", true},
                    BrokenAnswer{"CreditOfNoCall", FrameType::kCredit, 0, "", true},
                    BrokenAnswer{"MetadataOfNoCall", FrameType::kMetadata, 0, "", true},
                    BrokenAnswer{"FragmentOfNoCall", FrameType::kReply, kFlagMore, "a", true},
                    BrokenAnswer{"EndOfACallee", FrameType::kMessage, kFlagEnd, "", false},
                    BrokenAnswer{"MetadataThatAreNone", FrameType::kMetadata, 0, "\xff", false}),
    [](const auto& broken) { return broken.param.name; });

TEST_P(BrokenAnswerTest, ClosesTheConnection) {
  Connect();
  Call([this] {
    Metadata initial;
    CallOptions options;
    options.initial_metadata = &initial;
    EXPECT_EQ(stub_->Count(Numbered(9), options).Finish().code(), StatusCode::kDataLoss);
  });
  EXPECT_EQ(Next(), "request END + 2 bytes");
  FrameHeader header = Header(GetParam().type, GetParam().flags);
  if (GetParam().is_for_another) header.call = CallId::Make(0, 77, 1);
  header.arg = header.type == FrameType::kCredit ? 1 : 0;
  session_->Send(header, GetParam().payload);
  EndCall();
}

}  // namespace
}  // namespace ferry::test
