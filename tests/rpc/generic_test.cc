// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Calls and services without generated code.

#include "ferry/rpc/generic.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "ferry/rpc/in_process.h"
#include "tests/rpc/async_test.h"
#include "tests/rpc/reactors.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

const GenericMethod say("ferry.test.Talk/Say", CallShape::kUnary);
const GenericMethod count("ferry.test.Talk/Count", CallShape::kServerStream);
const GenericMethod sum("ferry.test.Talk/Sum", CallShape::kClientStream);
const GenericMethod chat("ferry.test.Talk/Chat", CallShape::kTwoWayStream);
const GenericMethod note("ferry.test.Talk/Note", CallShape::kOneWay);

RawMessage RawOf(int number) {
  Item item;
  item.set_number(number);
  item.set_body("kept");
  return ToRaw(item.SerializeAsString());
}

// Answers with the channel's own service, whatever that is.
class Proxy final : public GenericService {
 public:
  explicit Proxy(const Channel& to)
      : GenericService({&say, &count, &sum, &chat, &note}), stub_(to) {}

  absl::Status Unary(ServerContext& context, const RawMessage& request,
                     RawMessage& reply) override {
    EXPECT_EQ(context.method().full_name, "ferry.test.Talk/Say");
    absl::StatusOr<RawMessage> got = stub_.Unary(say, request);
    if (got.ok()) reply = *std::move(got);
    return got.status();
  }
  absl::Status ServerStream(ServerContext&, const RawMessage& request,
                            ServerWriter<RawMessage>& replies) override {
    ClientReader<RawMessage> reader = stub_.ServerStream(count, request);
    for (RawMessage message; reader.Read(&message);) replies.Write(message);
    return reader.Finish();
  }
  absl::Status ClientStream(ServerContext&, ServerReader<RawMessage>& requests,
                            RawMessage& reply) override {
    ClientWriter<RawMessage> writer = stub_.ClientStream(sum, &reply);
    for (RawMessage message; requests.Read(&message);) writer.Write(message);
    return writer.Finish();
  }
  absl::Status TwoWayStream(ServerContext&,
                            ServerReaderWriter<RawMessage, RawMessage>& stream) override {
    ClientReaderWriter<RawMessage, RawMessage> other = stub_.TwoWayStream(chat);
    for (RawMessage message; stream.Read(&message);) {
      if (!other.Write(message) || !other.Read(&message)) break;
      stream.Write(message);
    }
    return other.Finish();
  }
  absl::Status OneWay(ServerContext&, const RawMessage& request) override {
    return stub_.OneWay(note, request);
  }

 private:
  const GenericStub stub_;
};

class GenericTest : public testing::Test {
 protected:
  GenericTest() {
    service_.say = SendBack;
    service_.count = [](ServerContext&, const Item& request, ServerWriter<Item>& replies) {
      for (int i = 0; i < request.number(); ++i) replies.Write(request);
      return absl::NotFoundError("no more");
    };
    service_.sum = [](ServerContext&, ServerReader<Item>& requests, Item& reply) {
      for (Item item; requests.Read(&item);) reply.set_number(reply.number() + item.number());
      return absl::OkStatus();
    };
    service_.chat = [](ServerContext&, ServerReaderWriter<Item, Item>& stream) {
      for (Item item; stream.Read(&item);) stream.Write(item);
      return absl::OkStatus();
    };
    service_.note = [this](ServerContext&, const Item& item) {
      EXPECT_EQ(item.number(), 8);
      noted_.Set();
      return absl::OkStatus();
    };
    served_ = *InProcess::Serve({&service_});
    proxy_ = std::make_unique<Proxy>(served_->channel());
    ChannelOptions options;
    options.async = true;
    proxied_ = *InProcess::Serve({proxy_.get()}, {}, options);
  }

  TalkImpl service_;
  Signal noted_;
  std::unique_ptr<InProcess> served_;
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<InProcess> proxied_;
};

TEST_F(GenericTest, AStubOfTypesDoesNotSeeAProxy) {
  TalkStub stub(proxied_->channel());
  Item item;
  item.set_number(7);
  item.set_body(std::string(100'000, 'x'));
  absl::StatusOr<Item> said = stub.Say(item);
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_EQ(said->SerializeAsString(), item.SerializeAsString());

  ClientReader<Item> reader = stub.Count(item);
  Item got;
  int messages = 0;
  for (; reader.Read(&got); ++messages) EXPECT_EQ(got.body(), item.body());
  EXPECT_EQ(messages, 7);
  EXPECT_EQ(reader.Finish().code(), StatusCode::kNotFound);

  Item total;
  ClientWriter<Item> writer = stub.Sum(&total);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(writer.Write(item));
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(total.number(), 35);

  ClientReaderWriter<Item, Item> chatting = stub.Chat();
  EXPECT_TRUE(chatting.Write(item));
  EXPECT_TRUE(chatting.Read(&got));
  EXPECT_EQ(got.number(), 7);
  EXPECT_TRUE(chatting.Finish().ok());

  item.set_number(8);
  EXPECT_TRUE(stub.Note(item).ok());
  noted_.Await();
}

TEST_F(GenericTest, AMethodMayBeKnownByItsIdOnly) {
  const GenericMethod by_id(say.method().id, CallShape::kUnary);
  absl::StatusOr<RawMessage> reply = GenericStub(served_->channel()).Unary(by_id, RawOf(3));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(BytesOf(*reply), BytesOf(RawOf(3)));

  const GenericMethod nowhere(0x1234, CallShape::kUnary);
  absl::Status status = GenericStub(served_->channel()).Unary(nowhere, RawOf(3)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_NE(status.message().find("method 0x0000000000001234"), std::string::npos) << status;
}

TEST_F(GenericTest, CallsMayBeAsynchronous) {
  GenericStub stub(proxied_->channel());
  Signal done;
  stub.Unary(say, RawOf(4), [&](absl::StatusOr<RawMessage> reply) {
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(BytesOf(*reply), BytesOf(RawOf(4)));
    done.Set();
  });
  done.Await();
}

TEST_F(GenericTest, BytesThatAreNoMessageFailTheCall) {
  absl::Status status = GenericStub(served_->channel()).Unary(say, ToRaw("\xff")).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  status = GenericStub(proxied_->channel()).Unary(say, ToRaw("\xff")).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
}

TEST_F(GenericTest, AHandlerThatIsNotOverriddenSaysSo) {
  GenericService nothing({&say, &count, &sum, &chat, &note});
  std::unique_ptr<InProcess> served = *InProcess::Serve({&nothing});
  GenericStub stub(served->channel());
  EXPECT_EQ(stub.Unary(say, RawOf(1)).status().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(stub.ServerStream(count, RawOf(1)).Finish().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(stub.TwoWayStream(chat).Finish().code(), StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace ferry::test
