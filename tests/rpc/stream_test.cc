// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Streams between a stub and a handler, over transports of each kind.

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "ferry/rpc/call_failure.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

class StreamTest : public TalkTest {};
INSTANTIATE_TEST_SUITE_P(All, StreamTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

absl::Status CountTo(ServerContext&, const Item& request, ServerWriter<Item>& replies) {
  Item item;
  for (int i = 1; i <= request.number(); ++i) {
    item.set_number(i);
    item.set_body(request.body());
    if (!replies.Write(item)) return absl::AbortedError("nobody reads");
  }
  return absl::OkStatus();
}

absl::Status AddUp(ServerContext&, ServerReader<Item>& requests, Item& reply) {
  int sum = 0;
  for (Item item; requests.Read(&item);) sum += item.number();
  reply.set_number(sum);
  return absl::OkStatus();
}

absl::Status Echo(ServerContext&, ServerReaderWriter<Item, Item>& stream) {
  for (Item item; stream.Read(&item);) {
    if (!stream.Write(item)) return absl::AbortedError("nobody reads");
  }
  return absl::OkStatus();
}

TEST_P(StreamTest, AServersMessagesArriveInOrderAndEnd) {
  service_.count = CountTo;
  Start();
  ClientReader<Item> reader = stub_->Count(Numbered(5000));
  int read = 0;
  for (Item item; reader.Read(&item);) ASSERT_EQ(item.number(), ++read);
  EXPECT_EQ(read, 5000);
  EXPECT_TRUE(reader.Finish().ok());
}

TEST_P(StreamTest, AClientsMessagesAreReadToTheirEnd) {
  service_.sum = AddUp;
  Start();
  Item sum;
  ClientWriter<Item> writer = stub_->Sum(&sum);
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(writer.Write(Numbered(1)));
  EXPECT_TRUE(writer.WritesDone());
  EXPECT_FALSE(writer.Write(Numbered(1)));
  absl::Status status = writer.Finish();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(sum.number(), 5000);
}

TEST_P(StreamTest, MessagesGoBothWaysInTurns) {
  service_.chat = Echo;
  Start();
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  Item item;
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(stream.Write(Numbered(i)));
    ASSERT_TRUE(stream.Read(&item));
    ASSERT_EQ(item.number(), i);
  }
  EXPECT_TRUE(stream.WritesDone());
  EXPECT_FALSE(stream.Read(&item));
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_P(StreamTest, OneThreadMayReadWhileAnotherWrites) {
  service_.chat = Echo;
  Start();
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  std::thread writing([&] {
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(stream.Write(Sized(10000)));
    EXPECT_TRUE(stream.WritesDone());
  });
  int read = 0;
  for (Item item; stream.Read(&item);) ++read;
  writing.join();
  EXPECT_EQ(read, 300);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_P(StreamTest, MessagesLongerThanAFrameArriveWhole) {
  service_.chat = Echo;
  Start();
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  Item item;
  for (size_t size : {size_t{70000}, size_t{1000000}, size_t{0}, size_t{5000000}}) {
    ASSERT_TRUE(stream.Write(Sized(size)));
    ASSERT_TRUE(stream.Read(&item));
    EXPECT_EQ(item.body(), std::string(size, 'x'));
  }
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_P(StreamTest, ManyStreamsShareAChannel) {
  service_.chat = Echo;
  Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      ClientReaderWriter<Item, Item> stream = stub_->Chat();
      Item item;
      for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(stream.Write(Numbered(1000 * t + i)));
        ASSERT_TRUE(stream.Read(&item));
        ASSERT_EQ(item.number(), 1000 * t + i);
      }
      EXPECT_TRUE(stream.Finish().ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(StreamTest, WhoReadsNothingStallsNobody) {
  service_.count = CountTo;
  service_.say = [](ServerContext&, const Item& request, Item& reply) {
    reply = request;
    return absl::OkStatus();
  };
  Start();
  Item request = Sized(10000);
  request.set_number(1000);
  ClientReader<Item> unread = stub_->Count(request);
  for (int i = 0; i < 200; ++i) {
    absl::StatusOr<Item> said = stub_->Say(Numbered(i));
    ASSERT_TRUE(said.ok()) << said.status();
  }
  int read = 0;
  for (Item item; unread.Read(&item);) ++read;
  EXPECT_EQ(read, 1000);
  EXPECT_TRUE(unread.Finish().ok());
}

TEST_P(StreamTest, AWriterStopsWhenTheHandlerHasReturned) {
  service_.sum = [](ServerContext&, ServerReader<Item>&, Item& reply) {
    reply.set_number(-1);
    return absl::OkStatus();
  };
  Start();
  Item reply;
  ClientWriter<Item> writer = stub_->Sum(&reply);
  while (writer.Write(Sized(1000))) {
  }
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(reply.number(), -1);
}

TEST_P(StreamTest, TheHandlersStatusComesBehindItsMessages) {
  service_.count = [](ServerContext&, const Item&, ServerWriter<Item>& replies) {
    replies.Write(Item());
    absl::Status status = absl::NotFoundError("no more of them");
    status.SetPayload("type.example/why", absl::Cord("gone"));
    return status;
  };
  Start();
  ClientReader<Item> reader = stub_->Count(Item());
  Item item;
  EXPECT_TRUE(reader.Read(&item));
  EXPECT_FALSE(reader.Read(&item));
  absl::Status status = reader.Finish();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "no more of them");
  EXPECT_EQ(status.GetPayload("type.example/why"), absl::Cord("gone"));
  EXPECT_EQ(CallFailureOf(status)->origin, CallFailure::Origin::kThere);
}

TEST_P(StreamTest, FinishDropsWhatWasNotRead) {
  service_.count = CountTo;
  Start();
  Item request = Sized(10000);
  request.set_number(1000);
  EXPECT_TRUE(stub_->Count(request).Finish().ok());
}

TEST_P(StreamTest, AMethodThatIsNotOverriddenIsUnimplemented) {
  Start();
  Item item;
  EXPECT_EQ(stub_->Count(item).Finish().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(stub_->Sum(&item).Finish().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(stub_->Chat().Finish().code(), StatusCode::kUnimplemented);
}

TEST_P(StreamTest, AMessageThatIsTooLargeEndsTheStreamWithBothSizes) {
  service_.chat = Echo;
  ServerOptions options;
  options.max_message = 1000;
  Start(options);
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  EXPECT_FALSE(stream.Write(Sized(2000)));
  absl::Status status = stream.Finish();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "ferry.test.Talk/Chat: a ferry.test.Item of 2003 bytes, at most 1000 are allowed by "
            "the peer");
}

TEST_P(StreamTest, AMessageThatIsTooLargeEndsTheHandlersWrites) {
  Signal ended;
  service_.count = [&](ServerContext& context, const Item&, ServerWriter<Item>& replies) {
    EXPECT_FALSE(replies.Write(Sized(2000)));
    EXPECT_TRUE(context.IsCancelled());
    EXPECT_FALSE(replies.Write(Item()));
    ended.Set();
    return absl::OkStatus();
  };
  ChannelOptions options;
  options.max_message = 1000;
  Start({}, options);
  EXPECT_EQ(stub_->Count(Item()).Finish().code(), StatusCode::kResourceExhausted);
  ended.Await();
}

TEST_P(StreamTest, AMessageWithoutItsRequiredFieldsIsNotSent) {
  Start();
  ClientReaderWriter<StrictItem, StrictItem> stream = stub_->Strict();
  EXPECT_FALSE(stream.Write(StrictItem()));
  EXPECT_EQ(stream.Finish().code(), StatusCode::kInvalidArgument);

  ClientReaderWriter<StrictItem, StrictItem> other = stub_->Strict();
  StrictItem item;
  item.set_name("incomplete");
  EXPECT_TRUE(other.Write(item));
  EXPECT_FALSE(other.Read(&item));
  EXPECT_EQ(other.Finish().code(), StatusCode::kInvalidArgument);
}

TEST_P(StreamTest, EndsWithTheServerButFirstWithWhatCameBefore) {
  service_.count = [](ServerContext& context, const Item&, ServerWriter<Item>& replies) {
    replies.Write(Item());
    Signal cancelled;
    context.OnCancel([&] { cancelled.Set(); });
    cancelled.Await();
    context.OnCancel(nullptr);
    EXPECT_FALSE(replies.Write(Item()));
    return absl::OkStatus();
  };
  Start();
  ClientReader<Item> reader = stub_->Count(Item());
  Item item;
  EXPECT_TRUE(reader.Read(&item));
  Stop();
  EXPECT_FALSE(reader.Read(&item));
  absl::Status status = reader.Finish();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_EQ(CallFailureOf(status)->delivery, CallFailure::Delivery::kMaybeExecuted);
}

TEST_P(StreamTest, EndsWithTheLastHandleOfItsChannel) {
  service_.chat = Echo;
  Start();
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  stub_.reset();
  channel_.reset();
  Item item;
  EXPECT_FALSE(stream.Read(&item));
  EXPECT_EQ(stream.Finish().code(), StatusCode::kCancelled);
}

TEST_P(StreamTest, HandlersThatWaitLeaveRoomForOthers) {
  service_.chat = Echo;
  service_.say = [](ServerContext&, const Item&, Item&) { return absl::OkStatus(); };
  ServerOptions options;
  options.max_threads = 2;
  Start(options);
  ClientReaderWriter<Item, Item> first = stub_->Chat();
  Item item;
  ASSERT_TRUE(first.Write(Numbered(1)));
  ASSERT_TRUE(first.Read(&item));  // its handler waits now, and reads for all
  EXPECT_TRUE(stub_->Say(Item()).ok());
  ASSERT_TRUE(first.Write(Numbered(2)));
  ASSERT_TRUE(first.Read(&item));
  EXPECT_TRUE(first.Finish().ok());
  EXPECT_TRUE(stub_->Say(Item()).ok());
}

TEST_P(StreamTest, OneThreadServesAStreamAndThenWhatHasWaited) {
  service_.chat = Echo;
  service_.say = [](ServerContext&, const Item&, Item&) { return absl::OkStatus(); };
  ServerOptions options;
  options.max_threads = 1;
  Start(options);
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  Item item;
  ASSERT_TRUE(stream.Write(Numbered(1)));
  ASSERT_TRUE(stream.Read(&item));
  std::thread waiting([this] { EXPECT_TRUE(stub_->Say(Item()).ok()); });
  ASSERT_TRUE(stream.Write(Numbered(2)));
  ASSERT_TRUE(stream.Read(&item));
  EXPECT_TRUE(stream.Finish().ok());
  waiting.join();
}

}  // namespace
}  // namespace ferry::test
