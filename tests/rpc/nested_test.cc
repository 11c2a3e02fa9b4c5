// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Handlers that call back to who called them, and what runs where meanwhile.

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/channel.h"
#include "tests/rpc/peer_test.h"

namespace ferry::test {
namespace {

class NestedTest : public PeerTest {};

// The threads that handlers of one side run on.
class Threads {
 public:
  void Note() {
    internal::MutexLock lock(mutex_);
    threads_.insert(std::this_thread::get_id());
  }
  std::set<std::thread::id> all() {
    internal::MutexLock lock(mutex_);
    return threads_;
  }

 private:
  internal::Mutex mutex_;
  std::set<std::thread::id> threads_ ABSL_GUARDED_BY(mutex_);
};

TEST_P(NestedTest, AChainOf64CallsTakesOneThreadASide) {
  Threads here, there;
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    there.Note();
    return Descend(context, request, reply);
  };
  ours_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    here.Note();
    return Descend(context, request, reply);
  };
  StartPeers(1);
  for (int depth : {1, 2, 3, 63}) {
    Item reply;
    absl::Status status = stub_->Say(Numbered(depth), &reply);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(reply.number(), depth);
  }
  EXPECT_EQ(here.all(), std::set<std::thread::id>{std::this_thread::get_id()});
  EXPECT_EQ(there.all().size(), 1u);
}

TEST_P(NestedTest, AChainThatIsTooDeepFailsAndHarmsNoOther) {
  service_.say = ours_.say = Descend;
  StartPeers(1);
  Item reply;
  absl::Status status = stub_->Say(Numbered(1000), &reply);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("128 handlers run nested"), std::string::npos) << status;
  status = stub_->Say(Numbered(2 * kMaxNesting - 1), &reply);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(NestedTest, ChainsOfManyThreadsDoNotLockEachOtherOut) {
  service_.say = ours_.say = Descend;
  for (size_t threads : {size_t{1}, size_t{3}}) {
    StartPeers(threads);
    std::vector<std::thread> callers;
    for (int i = 0; i < 16; ++i) {
      callers.emplace_back([&, i] {
        for (int k = 0; k < 30; ++k) {
          Item reply;
          absl::Status status = stub_->Say(Numbered((i + k) % 12), &reply);
          ASSERT_TRUE(status.ok()) << status;
          ASSERT_EQ(reply.number(), (i + k) % 12);
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    DropChannel();
    Stop();
  }
}

// What is not nested in the call runs elsewhere, and waits for the lock; what is, has it.
TEST_P(NestedTest, ALockHeldOverACallDoesNotMeetItself) {
  std::mutex user_lock;  // locking it twice on one thread would not return
  std::atomic<bool> holds{false};
  Signal noted;
  std::optional<Channel> to_client;
  service_.count = [&](ServerContext& context, const Item&, ServerWriter<Item>&) {
    to_client.emplace(context.channel());
    return absl::OkStatus();
  };
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    // Not of this handler, which ends without it.
    std::thread other([&] { EXPECT_TRUE(TalkStub(*to_client).Note(request).ok()); });
    other.join();
    return TalkStub(context.channel()).Say(request, &reply);
  };
  ours_.note = [&](ServerContext&, const Item&) {
    std::lock_guard<std::mutex> lock(user_lock);
    noted.Set();
    return absl::OkStatus();
  };
  std::thread::id caller = std::this_thread::get_id();
  ours_.say = [&](ServerContext&, const Item& request, Item& reply) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_TRUE(holds);
    EXPECT_FALSE(noted.is_set());
    reply = request;
    return absl::OkStatus();
  };
  StartPeers(2);
  ASSERT_TRUE(stub_->Count(Item()).Finish().ok());
  {
    std::lock_guard<std::mutex> lock(user_lock);
    holds = true;
    Item reply;
    absl::Status status = stub_->Say(Numbered(7), &reply);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(reply.number(), 7);
    holds = false;
  }
  noted.Await();
  DropChannel();
  Stop();  // whose threads use what is ours
}

TEST_P(NestedTest, AWaitForAStreamRunsWhatIsNestedInIt) {
  service_.chat = [](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    TalkStub back(context.channel());
    for (Item item; stream.Read(&item);) {
      Item reply;
      absl::Status called = back.Say(item, &reply);
      if (!called.ok()) return called;
      if (!stream.Write(reply)) return absl::AbortedError("could not write");
    }
    return absl::OkStatus();
  };
  ours_.say = [](ServerContext&, const Item& request, Item& reply) {
    reply = Numbered(2 * request.number());
    return absl::OkStatus();
  };
  StartPeers(1);
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  for (int i = 0; i < 100; ++i) {
    Item reply;
    ASSERT_TRUE(stream.Write(Numbered(i)));
    ASSERT_TRUE(stream.Read(&reply));
    ASSERT_EQ(reply.number(), 2 * i);
  }
  absl::Status status = stream.Finish();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(NestedTest, AHandlerStreamsBothWaysWithWhoCalls) {
  constexpr int kItems = 300;
  service_.say = [](ServerContext& context, const Item&, Item& reply) {
    TalkStub back(context.channel());
    ClientReaderWriter<Item, Item> chat = back.Chat();
    int sum = 0;
    for (int i = 0; i < kItems; ++i) {
      Item item;
      if (!chat.Write(Sized(1000)) || !chat.Read(&item)) break;
      sum += static_cast<int>(item.body().size());
    }
    absl::Status chatted = chat.Finish();
    if (!chatted.ok()) return chatted;
    ClientReader<Item> count = back.Count(Numbered(kItems));
    for (Item item; count.Read(&item);) sum += item.number();
    reply.set_number(sum);
    return count.Finish();
  };
  ours_.chat = [](ServerContext&, ServerReaderWriter<Item, Item>& stream) {
    for (Item item; stream.Read(&item);) {
      if (!stream.Write(item)) return absl::AbortedError("could not write");
    }
    return absl::OkStatus();
  };
  ours_.count = [](ServerContext&, const Item& request, ServerWriter<Item>& items) {
    for (int i = 0; i < request.number(); ++i) {
      if (!items.Write(Numbered(1))) return absl::AbortedError("could not write");
    }
    return absl::OkStatus();
  };
  StartPeers(1);
  Item reply;
  absl::Status status = stub_->Say(Item(), &reply);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(reply.number(), kItems * 1000 + kItems);
}

TEST_P(NestedTest, TheDeadlineOfACallHoldsForWhatIsNestedInIt) {
  service_.say = Descend;
  ours_.say = [](ServerContext& context, const Item&, Item&) {
    EXPECT_NE(context.deadline(), kNoDeadline);
    while (!context.IsCancelled()) std::this_thread::yield();
    return absl::OkStatus();
  };
  StartPeers(1);
  CallOptions options;
  options.timeout = absl::Milliseconds(30);
  Item reply;
  for (int i = 0; i < 3; ++i) {
    absl::Status status = stub_->Say(Numbered(1), &reply, options);
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  }
  ASSERT_TRUE(stub_->Say(Numbered(0), &reply).ok());
}

TEST_P(NestedTest, ACancelledCallsHandlerCallsBackElsewhere) {
  Signal called, cancelled;
  std::thread::id caller = std::this_thread::get_id();
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    if (request.number() == 0) return absl::OkStatus();
    called.Set();
    while (!context.IsCancelled()) std::this_thread::yield();
    absl::Status status = TalkStub(context.channel()).Say(request, &reply);
    cancelled.Set();
    return status;
  };
  ours_.say = [&](ServerContext&, const Item&, Item&) {
    EXPECT_NE(std::this_thread::get_id(), caller);
    return absl::OkStatus();
  };
  StartPeers(2);
  Cancellation cancellation;
  CallOptions options;
  options.cancellation = &cancellation;
  std::thread canceller([&] {
    called.Await();
    cancellation.Cancel();
  });
  Item reply;
  absl::Status status = stub_->Say(Numbered(1), &reply, options);
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  canceller.join();
  cancelled.Await();
  EXPECT_TRUE(stub_->Say(Numbered(0), &reply).ok());
}

INSTANTIATE_TEST_SUITE_P(All, NestedTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

}  // namespace
}  // namespace ferry::test
