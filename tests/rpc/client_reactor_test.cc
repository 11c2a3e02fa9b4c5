// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Streams that no thread of the client waits for.

#include "ferry/rpc/client_reactor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ferry/rpc/interceptor.h"
#include "tests/rpc/async_test.h"
#include "tests/rpc/reactors.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

class ClientReactorTest : public AsyncTest {
 protected:
  ~ClientReactorTest() override {
    DropChannel();
    Stop();
  }
  void CountUpTo(int count, size_t size = 0) {
    service_.count = [=](ServerContext&, const Item&, ServerWriter<Item>& replies) {
      Item item = Sized(size);
      for (int i = 0; i < count; ++i) {
        item.set_number(i);
        if (!replies.Write(item)) return absl::AbortedError("nobody reads");
      }
      return absl::OkStatus();
    };
  }
  void SumUp() {
    service_.sum = [this](ServerContext&, ServerReader<Item>& requests, Item& reply) {
      may_read_.Await();
      int sum = 0;
      for (Item item; requests.Read(&item);) sum += item.number();
      reply.set_number(sum);
      return absl::OkStatus();
    };
  }
  void ChatBack() {
    service_.chat = [](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
      context.trailing_metadata().Add("reads", "all");
      for (Item item; stream.Read(&item);) stream.Write(item);
      return absl::OkStatus();
    };
  }
  static std::vector<int> UpTo(int count) {
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(i);
    return numbers;
  }

  Signal may_read_;
};

INSTANTIATE_TEST_SUITE_P(All, ClientReactorTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(ClientReactorTest, AReaderIsToldEachMessageInOrderAndThenTheEnd) {
  CountUpTo(5000);
  StartAsync();
  Reader reader;
  stub_->Count(Item(), reader);
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, UpTo(5000));
}

TEST_P(ClientReactorTest, AWriterIsToldWhenThereIsRoomAgain) {
  SumUp();
  StartAsync();
  Writer writer;
  Item item = Sized(10'000);
  item.set_number(1);
  std::atomic<int> written{0};
  writer.on_writable = [&] {
    while (written < 500 && writer.Write(item)) ++written;
    if (written == 500) writer.WritesDone();
  };
  stub_->Sum(writer);
  while (writer.Write(item)) ++written;
  EXPECT_GT(written, 0);
  EXPECT_LT(written, 500);  // nobody reads
  may_read_.Set();
  EXPECT_TRUE(writer.outcome.Await().ok()) << writer.outcome.Await();
  EXPECT_EQ(writer.reply().number(), 500);
}

TEST_P(ClientReactorTest, OneThatReadsAndWritesGoesOnInItsCallbacks) {
  ChatBack();
  StartAsync();
  Chatter chatter;
  chatter.on_read = [&](const Item& item) {
    if (item.number() == 999) return chatter.WritesDone();
    EXPECT_TRUE(chatter.Write(Numbered(item.number() + 1)));
  };
  Metadata trailing;
  CallOptions options;
  options.trailing_metadata = &trailing;
  stub_->Chat(chatter, options);
  EXPECT_TRUE(chatter.Write(Numbered(0)));
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  EXPECT_EQ(chatter.numbers, UpTo(1000));
  EXPECT_EQ(trailing.Find("reads"), "all");
  EXPECT_FALSE(chatter.Write(Item()));  // it has ended
  chatter.Cancel();
}

TEST_P(ClientReactorTest, NothingComesWhileReadsArePausedAndTheServerWaits) {
  CountUpTo(1000, 10'000);
  StartAsync();
  Reader reader;
  Signal paused;
  reader.on_read = [&](const Item& item) {
    if (item.number() != 2) return;
    reader.PauseReads();
    paused.Set();
  };
  stub_->Count(Item(), reader);
  paused.Await();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(reader.reads, 3);
  reader.ResumeReads();
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, UpTo(1000));
}

TEST_P(ClientReactorTest, AnotherThreadMayLetReadsGoOnAtAnyMoment) {
  CountUpTo(500);
  StartAsync();
  Reader reader;
  reader.on_read = [&](const Item&) { reader.PauseReads(); };
  stub_->Count(Item(), reader);
  while (!reader.outcome.is_set()) reader.ResumeReads();
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, UpTo(500));
}

TEST_P(ClientReactorTest, TheHandlersStatusComesBehindItsMessages) {
  service_.count = [](ServerContext&, const Item&, ServerWriter<Item>& replies) {
    replies.Write(Numbered(0));
    return absl::NotFoundError("no more");
  };
  StartAsync();
  Reader reader;
  stub_->Count(Item(), reader);
  EXPECT_EQ(reader.outcome.Await().code(), StatusCode::kNotFound);
  EXPECT_EQ(reader.numbers, UpTo(1));
}

TEST_P(ClientReactorTest, CancelEndsItFromAnyThread) {
  Signal began;
  service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    began.Set();
    Item item;
    EXPECT_FALSE(stream.Read(&item));
    EXPECT_TRUE(context.IsCancelled());
    return absl::OkStatus();
  };
  StartAsync();
  Chatter chatter;
  stub_->Chat(chatter);
  began.Await();
  chatter.Cancel();
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorTest, ACancellationAndADeadlineHold) {
  ChatBack();
  StartAsync();
  Cancellation cancellation;
  CallOptions cancelled, timed;
  cancelled.cancellation = &cancellation;
  timed.timeout = absl::Milliseconds(20);
  Chatter first, second, third;
  stub_->Chat(first, cancelled);
  stub_->Chat(second, timed);
  EXPECT_EQ(second.outcome.Await().code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(first.outcome.is_set());
  cancellation.Cancel();
  EXPECT_EQ(first.outcome.Await().code(), StatusCode::kCancelled);
  stub_->Chat(third, cancelled);  // is already
  EXPECT_EQ(third.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorTest, AMessageThatCannotBeSentEndsIt) {
  ChatBack();
  ChannelOptions options;
  options.max_message = 1000;
  StartAsync(options);
  Chatter chatter;
  stub_->Chat(chatter);
  EXPECT_FALSE(chatter.Write(Sized(2000)));
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kResourceExhausted);
}

TEST_P(ClientReactorTest, TheEndOfTheConnectionEndsIt) {
  Signal began;
  service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>&) {
    began.Set();
    while (!context.IsCancelled()) std::this_thread::yield();
    return absl::OkStatus();
  };
  StartAsync();
  Chatter chatter;
  stub_->Chat(chatter);
  began.Await();
  channel_->Close();
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorTest, TheLastHandleMayGoInItsEnd) {
  ChatBack();
  auto lives = std::make_shared<bool>(true);
  ChannelOptions options;
  options.on_event = [lives](const Event&) {};
  StartAsync(std::exchange(options, {}));
  Chatter chatter;
  Signal gone;
  chatter.on_done = [&] {
    DropChannel();
    gone.Set();
  };
  stub_->Chat(chatter);
  chatter.WritesDone();
  gone.Await();
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  while (lives.use_count() > 1) std::this_thread::yield();  // on a thread of its own
}

TEST_P(ClientReactorTest, TheLastHandleThatGoesEndsItAndWaits) {
  ChatBack();
  StartAsync();
  std::vector<std::unique_ptr<Chatter>> chatters;
  for (int i = 0; i < 20; ++i) {
    chatters.push_back(std::make_unique<Chatter>());
    stub_->Chat(*chatters.back());
  }
  DropChannel();
  for (const auto& chatter : chatters) EXPECT_TRUE(chatter->outcome.is_set());
}

TEST_P(ClientReactorTest, OneWithoutAConnectionConnectsAndDoesThenWhatWasWanted) {
  ChatBack();
  StartAsync();
  Stop();
  Chatter refused;
  stub_->Chat(refused);
  EXPECT_EQ(refused.outcome.Await().code(), StatusCode::kUnavailable);
  CallOptions options;
  options.wait_for_ready = true;
  Chatter chatter;
  chatter.on_writable = [&] {
    EXPECT_TRUE(chatter.Write(Numbered(7)));
    chatter.WritesDone();
  };
  stub_->Chat(chatter, options);
  if (chatter.Write(Numbered(7))) chatter.WritesDone();
  StartServer({});
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  EXPECT_EQ(chatter.numbers, std::vector<int>{7});
}

TEST_P(ClientReactorTest, ARequestThatWaitsForAConnectionArrivesWhole) {
  Item request = Numbered(3);
  request.mutable_inner()->set_number(4);
  request.mutable_inner()->mutable_inner()->set_body("innermost");
  service_.count = [expected = request.SerializeAsString()](ServerContext&, const Item& got,
                                                            ServerWriter<Item>& replies) {
    EXPECT_EQ(got.SerializeAsString(), expected);
    replies.Write(got);
    return absl::OkStatus();
  };
  StartAsync();
  StopAndNotice();
  CallOptions options;
  options.wait_for_ready = true;
  Reader reader;
  stub_->Count(request, reader, options);
  StartServer({});
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, std::vector<int>{3});
}

TEST_P(ClientReactorTest, CancelEndsOneThatWaitsForAConnection) {
  StartAsync();
  StopAndNotice();
  CallOptions options, with_cancellation;
  options.wait_for_ready = with_cancellation.wait_for_ready = true;
  Cancellation cancellation;
  with_cancellation.cancellation = &cancellation;
  Chatter chatter, cancelled;
  stub_->Chat(chatter, options);
  stub_->Chat(cancelled, with_cancellation);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  chatter.Cancel();
  cancellation.Cancel();
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kCancelled);
  EXPECT_EQ(cancelled.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorTest, CancelEndsOneThatIsPausedAndHasAllMessages) {
  CountUpTo(10);
  service_.say = SendBack;
  StartAsync();
  Reader reader;
  reader.on_read = [&](const Item&) { reader.PauseReads(); };
  stub_->Count(Item(), reader);
  EXPECT_TRUE(stub_->Say(Item()).ok());  // all of the other's has come before
  while (reader.reads == 0) std::this_thread::yield();
  reader.Cancel();
  reader.outcome.Await();
  EXPECT_EQ(reader.reads, 1);
}

TEST_P(ClientReactorTest, CancelEndsOneThatIsPausedAlsoWhenItsChannelHasEnded) {
  CountUpTo(10);
  service_.say = SendBack;
  StartAsync();
  Reader reader;
  reader.on_read = [&](const Item&) { reader.PauseReads(); };
  stub_->Count(Item(), reader);
  EXPECT_TRUE(stub_->Say(Item()).ok());
  while (reader.reads == 0) std::this_thread::yield();
  channel_->Close();
  DropChannel();
  EXPECT_FALSE(reader.outcome.is_set());
  reader.Cancel();
  EXPECT_EQ(reader.outcome.Await().code(), StatusCode::kCancelled);
  EXPECT_EQ(reader.reads, 1);
}

TEST_P(ClientReactorTest, CallbacksMayCallAndWait) {
  SumUp();
  service_.say = SendBack;
  StartAsync();
  Writer writer;
  Item item = Sized(10'000);
  std::atomic<int> written{0};
  writer.on_writable = [&] {
    for (int i = 0; i < 3; ++i) {
      absl::StatusOr<Item> said = stub_->Say(Numbered(i));
      ASSERT_TRUE(said.ok()) << said.status();
      EXPECT_EQ(said->number(), i);
    }
    while (written < 100 && writer.Write(item)) ++written;
    if (written == 100) writer.WritesDone();
  };
  stub_->Sum(writer);
  while (writer.Write(item)) ++written;
  may_read_.Set();
  EXPECT_TRUE(writer.outcome.Await().ok()) << writer.outcome.Await();
  EXPECT_EQ(written, 100);
}

TEST_P(ClientReactorTest, AChannelWithoutAThreadForCallbacksSaysSo) {
  ChatBack();
  Start();
  Chatter chatter;
  stub_->Chat(chatter);
  ASSERT_TRUE(chatter.outcome.is_set());
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kFailedPrecondition);
}

class Ends final : public ClientInterceptor {
 public:
  absl::Status OnCall(const Method&, CallOptions& options, void*&) override {
    options.metadata.Add("who", "me");
    return refuses ? absl::PermissionDeniedError("not you") : absl::OkStatus();
  }
  void OnEnd(const Method&, void*, absl::Status& status) override { seen.push_back(status.code()); }

  bool refuses = false;
  std::vector<StatusCode> seen;
};

TEST_P(ClientReactorTest, InterceptorsSeeIt) {
  service_.count = [](ServerContext& context, const Item&, ServerWriter<Item>&) {
    EXPECT_EQ(context.metadata().Find("who"), "me");
    return absl::DataLossError("");
  };
  Ends ends;
  ChannelOptions options;
  options.interceptors = {&ends};
  StartAsync(options);
  Reader seen;
  stub_->Count(Item(), seen);
  EXPECT_EQ(seen.outcome.Await().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ends.seen, std::vector<StatusCode>{StatusCode::kDataLoss});
  ends.refuses = true;
  Reader refused;
  stub_->Count(Item(), refused);
  EXPECT_EQ(refused.outcome.Await().code(), StatusCode::kPermissionDenied);
}

// Callbacks that block, and start further streams; cancelled from outside at any moment.
TEST_P(ClientReactorTest, ManyEndOnceWhateverHappens) {
  ChatBack();
  CountUpTo(20);
  StartAsync();
  constexpr size_t kStreams = 200;
  std::vector<std::unique_ptr<Chatter>> chatters;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < static_cast<int>(kStreams); ++i) {
    auto chatter = std::make_unique<Chatter>();
    auto reader = std::make_unique<Reader>();
    chatter->on_read = [c = chatter.get(), i](const Item& item) {
      if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      if (item.number() == i % 10) return c->WritesDone();
      c->Write(Numbered(item.number() + 1));
    };
    CallOptions options;
    if (i % 5 == 1) options.timeout = absl::Microseconds(i * 20);
    stub_->Chat(*chatter, options);
    stub_->Count(Item(), *reader, options);
    if (!chatter->Write(Numbered(0))) chatter->Cancel();
    if (i % 3 == 0) chatter->Cancel();
    chatters.push_back(std::move(chatter));
    readers.push_back(std::move(reader));
  }
  for (size_t i = 0; i < kStreams; ++i) {
    if (i % 7 == 0) readers[i]->Cancel();
    chatters[i]->outcome.Await();
    const absl::Status& counted = readers[i]->outcome.Await();
    if (i % 5 != 1 && i % 7 != 0) {
      EXPECT_TRUE(counted.ok()) << counted;
      EXPECT_EQ(readers[i]->numbers, UpTo(20));
    }
  }
}

}  // namespace
}  // namespace ferry::test
