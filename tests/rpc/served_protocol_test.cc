// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a server says and takes, frame by frame, of calls with streams, deadlines, cancellation and
// metadata: the shapes of docs/protocol.md.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/rpc/raw_server.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {
namespace {

constexpr CallId kCall = CallId::Make(0, 3, 5);

// Three bytes: a number.
std::string Bytes(int number) {
  Item item;
  item.set_number(number);
  return item.SerializeAsString();
}

// An Item of 600 bytes.
std::string Message600() { return "\x12\xd5\x04" + std::string(597, 'x'); }

std::string MetadataBytes(const std::string& name, const std::string& value) {
  wire::Metadata metadata;
  wire::Metadata::Entry& entry = *metadata.add_entries();
  entry.set_name(name);
  entry.set_value(value);
  return metadata.SerializeAsString();
}

class ServedProtocolTest : public testing::Test {
 protected:
  ServedProtocolTest() {
    ServerOptions options;
    options.stream_credit = 1000;
    options.max_message = 100000;
    server_.emplace(options);
    server_->Register(service_);
    EXPECT_TRUE(server_->Listen("inproc:served").ok());
    thread_ = std::thread([this] { EXPECT_TRUE(server_->Serve().ok()); });
  }
  ~ServedProtocolTest() override {
    server_->Shutdown();
    thread_.join();
  }

  void Connect(uint64_t stream_credit = 1000) {
    client_ = std::make_unique<RawSession>(*ConnectInproc("served"), 0, stream_credit);
  }

  void Send(FrameType type, uint8_t flags = 0, const std::string& payload = "", uint32_t arg = 0) {
    FrameHeader header = HeaderOf(type, kCall);
    header.flags = flags;
    header.arg = arg;
    client_->Send(header, payload);
  }
  void Open(const char* method, uint8_t flags, const std::string& payload = "", uint32_t arg = 0) {
    FrameHeader header = HeaderOf(FrameType::kRequest, kCall);
    header.flags = flags;
    header.arg = arg;
    header.method = MethodId(std::string("ferry.test.Talk/") + method);
    client_->Send(header, payload);
  }
  std::string Next() { return client_->Next(); }
  std::string Said() const {
    wire::Status status;
    EXPECT_TRUE(status.ParseFromString(client_->payload()));
    return status.message();
  }
  void ExpectAlive() {
    client_->Send(HeaderOf(FrameType::kPing));
    EXPECT_EQ(Next(), "ping ACK");
  }

  void CountTo(int last) {
    service_.count = [last](ServerContext&, const Item&, ServerWriter<Item>& replies) {
      Item item;
      for (int i = 1; i <= last; ++i) {
        item.set_number(i);
        if (!replies.Write(item)) return absl::AbortedError("nobody reads");
      }
      return absl::OkStatus();
    };
  }
  void SumUp() {
    service_.sum = [](ServerContext&, ServerReader<Item>& requests, Item& reply) {
      int sum = 0;
      for (Item item; requests.Read(&item);) sum += item.number();
      reply.set_number(sum);
      return absl::OkStatus();
    };
  }
  void AwaitCancel() {
    service_.say = [](ServerContext& context, const Item&, Item&) {
      Signal cancelled;
      context.OnCancel([&] { cancelled.Set(); });
      cancelled.Await();
      context.OnCancel(nullptr);
      return absl::OkStatus();
    };
  }

  TalkImpl service_;
  Signal go_on_;  // of a handler that may run for longer than the test
  std::optional<Server> server_;
  std::thread thread_;
  std::unique_ptr<RawSession> client_;
};

TEST_F(ServedProtocolTest, AServerStream) {
  CountTo(2);
  Connect();
  Open("Count", kFlagEnd, Bytes(1));
  EXPECT_EQ(Next(), "credit arg=2");  // the request was taken
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_EQ(client_->payload(), Bytes(1));
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_EQ(Next(), "reply EMPTY");
  EXPECT_EQ(client_->call(), kCall);
}

TEST_F(ServedProtocolTest, AServerStreamWaitsForCreditButOneMessageMayOverdrawIt) {
  CountTo(3);
  Connect(27);
  Open("Count", kFlagEnd, Bytes(1));
  EXPECT_EQ(Next(), "credit arg=2");
  EXPECT_EQ(Next(), "message + 2 bytes");  // of 26: one is left
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_TRUE(client_->IsSilent());
  Send(FrameType::kCredit, 0, "", 25);
  EXPECT_TRUE(client_->IsSilent());  // it is 0 now
  Send(FrameType::kCredit, 0, "", 1);
  EXPECT_EQ(Next(), "message + 2 bytes");
  EXPECT_EQ(Next(), "reply EMPTY");
}

TEST_F(ServedProtocolTest, AClientStream) {
  SumUp();
  Connect();
  Open("Sum", kFlagEmpty);
  Send(FrameType::kMessage, 0, Bytes(3));
  Send(FrameType::kMessage, kFlagEnd, Bytes(4));
  EXPECT_EQ(Next(), "reply + 2 bytes");
  EXPECT_EQ(client_->payload(), Bytes(7));
}

TEST_F(ServedProtocolTest, AClientStreamWhoseRequestHasItsFirstMessage) {
  SumUp();
  Connect();
  Open("Sum", 0, Bytes(3));
  EXPECT_EQ(Next(), "credit arg=2");
  Send(FrameType::kMessage, 0, Bytes(4));
  Send(FrameType::kMessage, kFlagEnd | kFlagEmpty);
  EXPECT_EQ(Next(), "reply + 2 bytes");
  EXPECT_EQ(client_->payload(), Bytes(7));

  Open("Sum", kFlagEnd, Bytes(3));  // and its last
  EXPECT_EQ(Next(), "credit arg=2");
  EXPECT_EQ(Next(), "reply + 2 bytes");
  Open("Sum", kFlagEnd | kFlagEmpty);
  EXPECT_EQ(Next(), "reply + 2 bytes");
  EXPECT_EQ(client_->payload(), Bytes(0));
}

TEST_F(ServedProtocolTest, AClientStreamGetsCreditForWhatWasRead) {
  SumUp();
  Connect();
  Open("Sum", kFlagEmpty);
  std::string bytes = Message600();
  Send(FrameType::kMessage, 0, bytes);
  EXPECT_EQ(Next(), "credit arg=" + std::to_string(bytes.size() + 24));
  EXPECT_EQ(client_->call(), kCall);
  Send(FrameType::kMessage, kFlagEnd | kFlagEmpty);
  EXPECT_EQ(Next(), "reply + 2 bytes");
}

TEST_F(ServedProtocolTest, ATwoWayStreamWithMetadata) {
  service_.chat = [](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    context.initial_metadata().Add("first", *context.metadata().Find("id"));
    context.trailing_metadata().Add("last", "8");
    for (Item item; stream.Read(&item);) stream.Write(item);
    return absl::OkStatus();
  };
  Connect();
  Send(FrameType::kMetadata, 0, MetadataBytes("id", "7"));
  Open("Chat", 0, Bytes(1));
  EXPECT_EQ(Next(), "credit arg=11");  // metadata and request
  EXPECT_EQ(Next(), "metadata + 12 bytes");
  EXPECT_EQ(client_->payload(), MetadataBytes("first", "7"));
  EXPECT_EQ(Next(), "message + 2 bytes");
  Send(FrameType::kMessage, 0, Bytes(2));
  EXPECT_EQ(Next(), "message + 2 bytes");
  Send(FrameType::kMessage, kFlagEnd | kFlagEmpty);
  EXPECT_EQ(Next(), "metadata TRAILING + 11 bytes");
  EXPECT_EQ(Next(), "reply EMPTY");
}

TEST_F(ServedProtocolTest, ACancelIsAnswered) {
  AwaitCancel();
  Connect();
  Open("Say", kFlagEnd, Bytes(1));
  EXPECT_EQ(Next(), "credit arg=2");  // another thread reads now
  Send(FrameType::kCancel);
  EXPECT_EQ(Next(), "reply aux=1 + 25 bytes");
  EXPECT_EQ(Said(), "the caller cancelled it");
  ExpectAlive();  // and nothing else comes
}

TEST_F(ServedProtocolTest, ADeadlineIsKeptWithoutACancel) {
  AwaitCancel();
  Connect();
  Open("Say", kFlagEnd, Bytes(1), 1000);
  EXPECT_EQ(Next(), "credit arg=2");
  EXPECT_EQ(Next().substr(0, 11), "reply aux=4");
  EXPECT_EQ(Said(), "the deadline has passed on the server");
  Send(FrameType::kCancel);  // it may have crossed the reply
  ExpectAlive();
}

TEST_F(ServedProtocolTest, AOneWayCallIsAnsweredWhenItIsTaken) {
  Signal go_on;
  service_.note = [&](ServerContext&, const Item&) {
    go_on.Await();
    return absl::OkStatus();
  };
  Connect();
  Open("Note", kFlagEnd | kFlagOneWay, Bytes(1));
  EXPECT_EQ(Next(), "reply EMPTY arg=2");
  go_on.Set();
  ExpectAlive();
}

TEST_F(ServedProtocolTest, AnotherNumberOfRequestsIsUnimplemented) {
  AwaitCancel();
  CountTo(1000);
  Connect(1);
  for (uint8_t flags : {uint8_t{0}, kFlagEmpty, uint8_t{kFlagEmpty | kFlagEnd}}) {
    Open("Say", flags);
    EXPECT_EQ(Next(), "reply aux=12 + 47 bytes");
    EXPECT_EQ(Said(), "ferry.test.Talk/Say takes exactly one request");
  }
  Open("Count", kFlagEnd, Bytes(1));
  EXPECT_EQ(Next(), "credit arg=2");
  EXPECT_EQ(Next(), "message + 2 bytes");
  Send(FrameType::kMessage, 0, Bytes(1));
  EXPECT_EQ(Next().substr(0, 12), "reply aux=12");
  ExpectAlive();
}

TEST_F(ServedProtocolTest, MessagesWithoutCreditEndTheCall) {
  service_.sum = [this](ServerContext& context, ServerReader<Item>&, Item&) {
    context.OnCancel([this] { go_on_.Set(); });
    go_on_.Await();
    context.OnCancel(nullptr);
    return absl::OkStatus();
  };
  Connect();
  Open("Sum", kFlagEmpty);
  for (int i = 0; i < 3; ++i) Send(FrameType::kMessage, 0, Message600());
  EXPECT_EQ(Next().substr(0, 11), "reply aux=8");
  EXPECT_EQ(Said(), "a message came without credit");
  ExpectAlive();
}

TEST_F(ServedProtocolTest, AnOversizedMessageEndsTheCallWithBothSizes) {
  SumUp();
  Connect();
  Open("Sum", kFlagEmpty);
  Send(FrameType::kMessage, 0, std::string(200000, 'x'));
  EXPECT_EQ(Next().substr(0, 11), "reply aux=8");
  EXPECT_EQ(Said(), "message of 200000 bytes, at most 100000 are accepted");
  ExpectAlive();
}

TEST_F(ServedProtocolTest, OversizedMetadataRefuseTheirRequest) {
  Connect();
  Send(FrameType::kMetadata, 0, MetadataBytes("id", std::string(70000, '7')));
  Open("Chat", kFlagEmpty);
  EXPECT_EQ(Next().substr(0, 22), "reply aux=8 arg=70012 ");
  EXPECT_EQ(Said(), "message of 70012 bytes, at most 65536 are accepted");
  ExpectAlive();
}

TEST_F(ServedProtocolTest, AnIndexIsInUseUntilItsReply) {
  AwaitCancel();
  Connect();
  Open("Say", kFlagEnd, Bytes(1));
  EXPECT_EQ(Next(), "credit arg=2");
  FrameHeader again = HeaderOf(FrameType::kRequest, CallId::Make(0, kCall.index(), 6));
  again.flags = kFlagEnd;
  client_->Send(again);
  EXPECT_EQ(Next(), "closed");
}

struct BrokenCase {
  const char* name;
  FrameType type;
  uint8_t flags;
  CallId call = kCall;
};

class BrokenFrameOfCallTest : public ServedProtocolTest,
                              public testing::WithParamInterface<BrokenCase> {};
INSTANTIATE_TEST_SUITE_P(
    All, BrokenFrameOfCallTest,
    testing::Values(
        BrokenCase{"OneWayWithoutEnd", FrameType::kRequest, kFlagOneWay},
        BrokenCase{"EmptyMessageWithoutEnd", FrameType::kMessage, kFlagEmpty},
        BrokenCase{"TrailingMetadataOfACaller", FrameType::kMetadata, kFlagTrailing},
        BrokenCase{"MessageToNoCall", FrameType::kMessage, 0, CallId::Make(1, 0, 1)},
        BrokenCase{"CreditToNoCall", FrameType::kCredit, 0, CallId::Make(1, 0, 1)},
        BrokenCase{"CancelOfTheOtherSide", FrameType::kCancel, 0, CallId::Make(1, 0, 1)},
        BrokenCase{"EndOfTheOtherSide", FrameType::kMessage, kFlagEnd, CallId::Make(1, 0, 1)}),
    [](const auto& broken) { return broken.param.name; });

TEST_P(BrokenFrameOfCallTest, ClosesTheConnection) {
  Connect();
  FrameHeader header = HeaderOf(GetParam().type, GetParam().call);
  header.flags = GetParam().flags;
  header.arg = header.type == FrameType::kCredit ? 1 : 0;
  client_->Send(header);
  EXPECT_EQ(Next(), "closed");
}

TEST_F(ServedProtocolTest, NothingComesBetweenFragments) {
  SumUp();
  Connect();
  Open("Sum", kFlagEmpty);
  Send(FrameType::kMessage, kFlagMore, "abc");
  Send(FrameType::kCancel);
  EXPECT_EQ(Next(), "closed");
}

TEST_F(ServedProtocolTest, MetadataComeOnce) {
  Connect();
  Send(FrameType::kMetadata, 0, MetadataBytes("id", "7"));
  Send(FrameType::kMetadata, 0, MetadataBytes("id", "7"));
  EXPECT_EQ(Next(), "closed");
}

}  // namespace
}  // namespace ferry::test
