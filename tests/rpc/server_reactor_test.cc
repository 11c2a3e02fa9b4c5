// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Streams that take no thread of the server while they wait.

#include "ferry/rpc/server_reactor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ferry/rpc/generic.h"
#include "ferry/rpc/interceptor.h"
#include "tests/rpc/async_test.h"
#include "tests/rpc/reactors.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

class Summing final : public ServerReadReactor<Item, Item> {
 public:
  void OnRead(const Item& item) override { reply().set_number(reply().number() + item.number()); }
  void OnReadsDone() override {
    trailing_metadata().Add("summed", "up");
    Finish();
  }
  void OnDone() override { delete this; }
};

class Counting final : public ServerWriteReactor<Item> {
 public:
  Counting(int count, size_t size) : count_(count) { item_.set_body(std::string(size, 'x')); }

  void Go() {
    for (; next_ < count_; ++next_) {
      item_.set_number(next_);
      if (!Write(item_)) return;
    }
    Finish();
  }
  void OnWritable() override { Go(); }
  void OnDone() override { delete this; }

 private:
  const int count_;
  Item item_;
  int next_ = 0;
};

// Waits for what the test does with it.
class Idle final : public ServerBidiReactor<Item, Item> {
 public:
  void OnRead(const Item&) override {
    if (++reads != 1) return;
    if (pauses) PauseReads();
    began.Set();
  }
  void OnReadsDone() override { reads_done.Set(); }
  void OnCancel() override { cancelled.Set(); }
  void OnDone() override { done.Set(); }

  bool pauses = false;
  std::atomic<int> reads{0};
  Signal began, reads_done, cancelled, done;
};

class ServerReactorTest : public AsyncTest {
 protected:
  ~ServerReactorTest() override {
    DropChannel();
    Stop();
    EXPECT_EQ(living_, 0);
  }

  void EchoByReactor() {
    service_.chat = [this](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
      return React(context, stream, *new EchoReactor(living_));
    };
  }
  // A chat that `idle` has begun to read.
  ClientReaderWriter<Item, Item> ChatWith(Idle& idle, const ServerOptions& options = {}) {
    LeaveTo(idle);
    Start(options);
    ClientReaderWriter<Item, Item> chat = stub_->Chat();
    chat.Write(Numbered(1));
    idle.began.Await();
    return chat;
  }
  void LeaveTo(Idle& idle) {
    service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
      return React(context, stream, idle);
    };
  }

  std::atomic<int> living_{0};
};

INSTANTIATE_TEST_SUITE_P(All, ServerReactorTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(ServerReactorTest, OneThatReadsAnswersWithItsReplyAndMetadata) {
  service_.sum = [](ServerContext& context, ServerReader<Item>& requests, Item& reply) {
    return React(context, requests, reply, *new Summing);
  };
  Start();
  Item sum;
  Metadata trailing;
  CallOptions options;
  options.trailing_metadata = &trailing;
  ClientWriter<Item> writer = stub_->Sum(&sum, options);
  Item item = Sized(1000);
  item.set_number(1);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(writer.Write(item));
  absl::Status status = writer.Finish();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(sum.number(), 2000);
  EXPECT_EQ(trailing.Find("summed"), "up");
}

TEST_P(ServerReactorTest, OneThatWritesWaitsForTheClientWithoutAThread) {
  service_.count = [](ServerContext& context, const Item&, ServerWriter<Item>& replies) {
    auto* counting = new Counting(500, 10'000);
    absl::Status left = React(context, replies, *counting);
    counting->Go();
    return left;
  };
  service_.say = SendBack;
  ServerOptions options;
  options.max_threads = 1;
  Start(options);
  ClientReader<Item> reader = stub_->Count(Item());
  EXPECT_TRUE(stub_->Say(Item()).ok());  // it holds up nobody
  int count = 0;
  for (Item item; reader.Read(&item); ++count) EXPECT_EQ(item.number(), count);
  absl::Status status = reader.Finish();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(count, 500);
}

TEST_P(ServerReactorTest, ManyChatsTakeOneThread) {
  EchoByReactor();
  ServerOptions options;
  options.max_threads = 1;
  Start(options);
  std::vector<ClientReaderWriter<Item, Item>> chats;
  for (int i = 0; i < 100; ++i) chats.push_back(stub_->Chat());
  for (int round = 0; round < 5; ++round) {
    for (auto& chat : chats) ASSERT_TRUE(chat.Write(Numbered(round)));
    for (auto& chat : chats) {
      Item item;
      ASSERT_TRUE(chat.Read(&item));
      EXPECT_EQ(item.number(), round);
    }
  }
  for (auto& chat : chats) {
    absl::Status status = chat.Finish();
    EXPECT_TRUE(status.ok()) << status;
  }
}

// Neither side reads before it has written more than there is room for.
TEST_P(ServerReactorTest, BothSidesReactAndNothingIsLost) {
  EchoByReactor();
  StartAsync();
  Chatter chatter;
  Item item = Sized(5000);
  std::atomic<int> written{0};
  auto write = [&] {
    for (; written < 1000; ++written) {
      item.set_number(written);
      if (!chatter.Write(item)) return;
    }
    chatter.WritesDone();
  };
  Signal may_write;
  chatter.on_writable = [&] {
    may_write.Await();
    write();
  };
  stub_->Chat(chatter);
  write();
  may_write.Set();
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  ASSERT_EQ(chatter.numbers.size(), 1000U);
  for (size_t i = 0; i < 1000; ++i) ASSERT_EQ(chatter.numbers[i], static_cast<int>(i));
}

TEST_P(ServerReactorTest, ACancelledOneIsToldAndStaysUntilItFinishes) {
  Idle idle;
  {
    ClientReaderWriter<Item, Item> chat = ChatWith(idle);
    EXPECT_FALSE(idle.IsCancelled());
  }
  idle.cancelled.Await();
  EXPECT_TRUE(idle.IsCancelled());
  EXPECT_FALSE(idle.Write(Item()));
  EXPECT_FALSE(idle.done.is_set());
  idle.Finish();
  idle.done.Await();
}

TEST_P(ServerReactorTest, ADeadlineCancelsIt) {
  Idle idle;
  LeaveTo(idle);
  Start();
  CallOptions options;
  options.timeout = absl::Milliseconds(100);  // that is, once it is there
  ClientReaderWriter<Item, Item> chat = stub_->Chat(options);
  EXPECT_EQ(chat.Finish().code(), StatusCode::kDeadlineExceeded);
  idle.cancelled.Await();
  idle.Finish();
  idle.done.Await();
}

TEST_P(ServerReactorTest, ItMayFinishOnAnotherThreadWithAStatus) {
  Idle idle;
  ClientReaderWriter<Item, Item> chat = ChatWith(idle);
  EXPECT_TRUE(idle.Write(Numbered(5)));
  idle.Finish(absl::NotFoundError("enough"));
  idle.Finish();  // once
  idle.done.Await();
  Item item;
  EXPECT_TRUE(chat.Read(&item));
  EXPECT_EQ(item.number(), 5);
  EXPECT_EQ(chat.Finish().code(), StatusCode::kNotFound);
  EXPECT_FALSE(idle.cancelled.is_set());
}

TEST_P(ServerReactorTest, NothingComesWhileReadsArePaused) {
  Idle idle;
  idle.pauses = true;
  LeaveTo(idle);
  Start();
  ClientReaderWriter<Item, Item> chat = stub_->Chat();
  for (int i = 1; i <= 5; ++i) chat.Write(Numbered(i));
  idle.began.Await();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(idle.reads, 1);
  idle.ResumeReads();
  chat.WritesDone();
  idle.reads_done.Await();
  EXPECT_EQ(idle.reads, 5);
  idle.Finish();
  EXPECT_TRUE(chat.Finish().ok());
  idle.done.Await();
}

TEST_P(ServerReactorTest, AShutdownWaitsForItUntilItsGraceIsOver) {
  Idle idle;
  ClientReaderWriter<Item, Item> chat = ChatWith(idle);
  Shutdown(absl::Milliseconds(50));
  idle.cancelled.Await();
  Stop();
  EXPECT_EQ(chat.Finish().code(), StatusCode::kUnavailable);
  idle.Finish();  // on this thread, the only one that is left
  EXPECT_TRUE(idle.done.is_set());
}

class Answers final : public ServerInterceptor {
 public:
  void OnAnswer(ServerContext&, void*, absl::Status& status) override {
    seen.push_back(status.code());
  }
  std::vector<StatusCode> seen;
};

TEST_P(ServerReactorTest, InterceptorsSeeItsAnswer) {
  Idle idle;
  Answers answers;
  ServerOptions options;
  options.interceptors = {&answers};
  ClientReaderWriter<Item, Item> chat = ChatWith(idle, options);
  EXPECT_TRUE(answers.seen.empty());
  idle.Finish(absl::AbortedError(""));
  idle.done.Await();
  EXPECT_EQ(chat.Finish().code(), StatusCode::kAborted);
  EXPECT_EQ(answers.seen, std::vector<StatusCode>{StatusCode::kAborted});
}

// While credit is given back for what is read, and messages are written.
TEST_P(ServerReactorTest, OneThatFinishesAtAnyMomentLeavesTheConnectionWell) {
  constexpr int kChats = 100;
  std::deque<Idle> idles(kChats);
  auto next = idles.begin();
  service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    return React(context, stream, *next++);
  };
  service_.say = SendBack;
  Start();
  for (int i = 0; i < kChats; ++i) {
    Idle& idle = idles[static_cast<size_t>(i)];
    ClientReaderWriter<Item, Item> chat = stub_->Chat();
    std::thread finishing([&] {
      idle.began.Await();
      while (idle.reads < 1 + i) std::this_thread::yield();
      idle.Write(Numbered(1));
      idle.Finish();
    });
    Item item = Sized(4000);
    for (int k = 0; k < 200 && chat.Write(item); ++k) {
    }
    absl::Status status = chat.Finish();
    EXPECT_TRUE(status.ok()) << status;
    finishing.join();
    idle.done.Await();
    ASSERT_TRUE(stub_->Say(Item()).ok());
  }
}

// Other threads read on meanwhile.
TEST_P(ServerReactorTest, OnReadsDoneMayTakeLong) {
  class Slow final : public ServerReadReactor<Item, Item> {
   public:
    void OnRead(const Item& item) override { reply().set_number(item.number()); }
    void OnReadsDone() override {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      Finish();
    }
    void OnDone() override { delete this; }
  };
  service_.sum = [](ServerContext& context, ServerReader<Item>& requests, Item& reply) {
    return React(context, requests, reply, *new Slow);
  };
  service_.say = SendBack;
  Start();
  std::atomic<bool> done{false};
  std::thread others([&] {
    for (int i = 0; !done; ++i) {
      absl::StatusOr<Item> said = stub_->Say(Numbered(i));
      ASSERT_TRUE(said.ok()) << said.status();
      EXPECT_EQ(said->number(), i);
    }
  });
  for (int i = 0; i < 5; ++i) {
    Item reply;
    ClientWriter<Item> writer = stub_->Sum(&reply);
    EXPECT_TRUE(writer.Write(Numbered(i)));
    absl::Status status = writer.Finish();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(reply.number(), i);
  }
  done = true;
  others.join();
}

TEST_P(ServerReactorTest, AOneWayCallOfItIsCancelledAtOnce) {
  Signal done;
  class Once final : public ServerWriteReactor<Item> {
   public:
    explicit Once(Signal& done) : done_(done) {}
    void OnDone() override {
      done_.Set();
      delete this;
    }

   private:
    Signal& done_;
  };
  service_.count = [&](ServerContext& context, const Item&, ServerWriter<Item>& replies) {
    return React(context, replies, *new Once(done));
  };
  service_.say = SendBack;
  Start();
  const GenericMethod count("ferry.test.Talk/Count", CallShape::kServerStream);
  EXPECT_TRUE(GenericStub(*channel_).OneWay(count, RawMessage()).ok());
  done.Await();
  EXPECT_TRUE(stub_->Say(Item()).ok());
}

TEST_P(ServerReactorTest, ManyClientsComeAndGo) {
  EchoByReactor();
  StartAsync();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 100; ++i) {
        CallOptions options;
        if (i % 4 == 1) options.timeout = absl::Microseconds(200 * t + i);
        ClientReaderWriter<Item, Item> chat = stub_->Chat(options);
        Item item;
        for (int k = 0; k < i % 10; ++k) {
          if (!chat.Write(Numbered(k)) || !chat.Read(&item)) break;
          EXPECT_EQ(item.number(), k);
        }
        if (i % 3 == 0) chat.Cancel();
        if (i % 5 == 0) continue;
        absl::Status status = chat.Finish();
        if (i % 3 != 0 && i % 4 != 1) {
          EXPECT_TRUE(status.ok()) << status;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ferry::test
