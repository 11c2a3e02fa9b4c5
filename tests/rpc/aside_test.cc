// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Blocking calls on channels that a thread of their own reads, which stands aside for them.

#include "ferry/rpc/internal/aside.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/rpc/async_test.h"
#include "tests/rpc/peer_test.h"

namespace ferry::test {
namespace {

using internal::Aside;

TEST(AsideTest, OnlyWhoComesSoonAgainAsks) {
  Aside aside;
  EXPECT_FALSE(aside.Ask());
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(aside.Ask());
  EXPECT_FALSE(aside.is_wanted());
  while (!aside.Ask()) {
  }
  EXPECT_TRUE(aside.is_wanted());
  EXPECT_FALSE(aside.Ask()) << "it was asked already";
  aside.End(aside.Begin());
  EXPECT_FALSE(aside.is_wanted());
}

TEST(AsideTest, ItIsTimeToComeBackWhenNobodyVisits) {
  Aside aside;
  Aside::Stay stay = aside.Begin();
  EXPECT_TRUE(aside.is_taken());
  EXPECT_TRUE(aside.Await(stay));
  aside.End(stay);
  EXPECT_FALSE(aside.is_taken());
}

TEST(AsideTest, WhoFindsAVisitorWaitsForItsEnd) {
  Aside aside;
  Aside::Stay stay = aside.Begin();
  aside.WantEndOfVisit();
  std::atomic<bool> ended{false};
  std::thread visitor([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ended = true;
    aside.VisitEnded();
  });
  EXPECT_TRUE(aside.Await(stay));
  EXPECT_TRUE(ended);
  visitor.join();
  aside.End(stay);
}

TEST(AsideTest, ARecallEndsTheWaitAlsoBeforeItBegins) {
  Aside aside;
  Aside::Stay stay = aside.Begin();
  aside.WantEndOfVisit();
  aside.Recall();
  EXPECT_TRUE(aside.Await(stay));
  aside.End(stay);
  aside.Recall();  // nobody is there
  stay = aside.Begin();
  EXPECT_TRUE(aside.Await(stay));
}

TEST(AsideTest, WhoIsDismissedLeavesThePlaceToAnother) {
  Aside aside;
  Aside::Stay first = aside.Begin();
  aside.WantEndOfVisit();
  aside.Dismiss();
  EXPECT_FALSE(aside.is_taken());
  Aside::Stay second = aside.Begin();
  EXPECT_FALSE(aside.Await(first));
  aside.End(first);
  EXPECT_TRUE(aside.is_taken()) << "it is another's";
  EXPECT_TRUE(aside.Await(second));
}

TEST(AsideTest, RequestsOfThePeerCountForAWhile) {
  Aside aside;
  EXPECT_FALSE(aside.has_requests());
  aside.NoteRequest();
  EXPECT_TRUE(aside.has_requests());
  for (int i = 0; i < 64; ++i) aside.NoteVisit();
  EXPECT_FALSE(aside.has_requests());
}

// So many make it certain that some found the lead free.
constexpr int kCalls = 300;

class AsideCallTest : public AsyncTest {
 protected:
  void Call(int times) {
    Item reply;
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(stub_->Say(Numbered(i), &reply), absl::OkStatus());
      ASSERT_EQ(reply.number(), i);
    }
  }
};

TEST_P(AsideCallTest, ManyThreadsCallAndWaitAtOnce) {
  service_.say = SendBack;
  StartAsync();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([this] { Call(kCalls); });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(AsideCallTest, WhatIsStartedBehindABlockingCallIsRead) {
  service_.say = SendBack;
  ChannelOptions options;
  options.max_threads = 1;
  StartAsync(options);
  for (int i = 0; i < kCalls / 3; ++i) {
    Call(3);
    Item request, reply;
    Signal done;
    absl::Status status;
    stub_->Say(request, &reply, [&](absl::Status outcome) {
      status = std::move(outcome);
      done.Set();
    });
    done.Await();
    ASSERT_EQ(status, absl::OkStatus());
  }
}

// The visitor does not run it, and the one thread of the channel stands aside.
TEST_P(AsideCallTest, CallbacksRunWhileABlockingCallWaits) {
  Signal go_on;
  std::atomic<bool> waits{false};
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    if (request.number() >= 0) return SendBack(context, request, reply);
    waits = true;
    go_on.Await();
    return absl::OkStatus();
  };
  ChannelOptions options;
  options.max_threads = 1;
  StartAsync(options);
  Call(kCalls);
  std::thread waiting([this] { EXPECT_EQ(stub_->Say(Numbered(-1)).status(), absl::OkStatus()); });
  while (!waits) std::this_thread::yield();
  for (int i = 0; i < 10; ++i) {
    Item request, reply;
    Signal done;
    stub_->Say(request, &reply, [&](const absl::Status&) { done.Set(); });
    done.Await();
  }
  go_on.Set();
  waiting.join();
  DropChannel();
  Stop();  // the handler has left go_on
}

TEST_P(AsideCallTest, CallbacksCallAndWaitMeanwhile) {
  service_.say = SendBack;
  StartAsync();
  Countdown all(kCalls);
  std::vector<Item> replies(kCalls);
  std::thread blocking([this] { Call(kCalls); });
  for (Item& reply : replies) {
    stub_->Say(Numbered(1), &reply, [&](const absl::Status& status) {
      EXPECT_EQ(status, absl::OkStatus());
      EXPECT_EQ(stub_->Say(Numbered(2)).status(), absl::OkStatus());
      all.Tick();
    });
  }
  blocking.join();
  all.Await();
}

TEST_P(AsideCallTest, ADeadlineHoldsForWhoReads) {
  Signal go_on;
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    if (request.number() < 0) go_on.Await();
    return SendBack(context, request, reply);
  };
  StartAsync();
  Call(kCalls);
  CallOptions options;
  options.timeout = absl::Milliseconds(5);
  EXPECT_EQ(stub_->Say(Numbered(-1), options).status().code(), absl::StatusCode::kDeadlineExceeded);
  Call(kCalls);
  go_on.Set();
  DropChannel();
  Stop();  // who waits for it has gone
}

TEST_P(AsideCallTest, TheChannelMayGoAtAnyTime) {
  service_.say = SendBack;
  StartServer({});
  for (int i = 0; i < 20; ++i) {
    ChannelOptions options;
    options.async = true;
    options.max_threads = i % 2 == 0 ? 1 : 64;
    channel_.emplace(ConnectWhenServed(address_, options));
    stub_.emplace(*channel_);
    Call(i);
    DropChannel();
  }
}

TEST_P(AsideCallTest, TheEndIsNoticedByWhoCallsNext) {
  service_.say = SendBack;
  StartAsync();
  Call(kCalls);
  StopAndNotice();
}

// Some of them run on the thread that stood aside, which then is no one's successor.
TEST_P(AsideCallTest, CallbacksThatWaitBesideAVisitorFindWhoReads) {
  service_.say = SendBack;
  ChannelOptions options;
  options.max_threads = 4;
  StartAsync(options);
  std::atomic<bool> stop{false};
  std::thread blocking([&] {
    while (!stop) EXPECT_EQ(stub_->Say(Numbered(1)).status(), absl::OkStatus());
  });
  for (int i = 0; i < kCalls; ++i) {
    Countdown all(3);
    Item replies[3];
    for (Item& reply : replies) {
      stub_->Say(Numbered(2), &reply, [&](const absl::Status&) {
        EXPECT_EQ(stub_->Say(Numbered(3)).status(), absl::OkStatus());
        all.Tick();
      });
    }
    all.Await();
    if (i % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  stop = true;
  blocking.join();
}

INSTANTIATE_TEST_SUITE_P(Schemes, AsideCallTest, testing::ValuesIn(kTalkSchemes));

class AsidePeerTest : public PeerTest {
 protected:
  // For each Note to the server, on a thread there.
  void CallBack(std::function<void(TalkStub&)> call) {
    service_.note = [this, call = std::move(call)](ServerContext& context, const Item&) {
      internal::MutexLock lock(mutex_);
      callers_.emplace_back([call, channel = context.channel()] {
        TalkStub stub(channel);
        call(stub);
      });
      changed_.NotifyAll();
      return absl::OkStatus();
    };
  }
  // Of one Note.
  void Join() {
    std::thread caller;
    {
      internal::MutexLock lock(mutex_);
      while (callers_.empty()) changed_.Wait(mutex_);
      caller = std::move(callers_.back());
      callers_.pop_back();
    }
    caller.join();
  }
  // Before what this has goes.
  void End() {
    DropChannel();
    Stop();
  }

 private:
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::vector<std::thread> callers_ ABSL_GUARDED_BY(mutex_);
};

TEST_P(AsidePeerTest, ThePeersCallsAreServedBehindBlockingOnes) {
  service_.say = SendBack;
  ours_.say = SendBack;
  std::atomic<bool> done{false};
  CallBack([&done](TalkStub& stub) {
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_EQ(stub.Say(Numbered(i)).status(), absl::OkStatus());
      if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    done = true;
  });
  StartPeers(1);
  for (int i = 0; i < kCalls; ++i) ASSERT_EQ(stub_->Say(Item()).status(), absl::OkStatus());
  ASSERT_EQ(stub_->Note(Item()), absl::OkStatus());
  while (!done) ASSERT_EQ(stub_->Say(Item()).status(), absl::OkStatus());
  Join();
  End();
}

// Nested in the calls of who reads, and not.
TEST_P(AsidePeerTest, HandlersCallBackAndForthMeanwhile) {
  service_.say = Descend;
  ours_.say = Descend;
  StartPeers(1);
  for (int i = 0; i < kCalls; ++i) {
    Item reply;
    ASSERT_EQ(stub_->Say(Numbered(i % 4), &reply), absl::OkStatus());
    ASSERT_EQ(reply.number(), i % 4);
  }
}

// Slow handlers cost the thread the lead; who has it stands aside for their calls.
TEST_P(AsidePeerTest, AHandlerMayTakeTheLeadAndKeepIt) {
  service_.say = SendBack;
  CallBack([](TalkStub& stub) { EXPECT_EQ(stub.Say(Item()).status(), absl::OkStatus()); });
  ours_.say = [](ServerContext& context, const Item&, Item&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    TalkStub stub(context.channel());
    for (int i = 0; i < kCalls; ++i) EXPECT_EQ(stub.Say(Item()).status(), absl::OkStatus());
    return absl::OkStatus();
  };
  StartServer({});
  ChannelOptions options;
  options.services = {&ours_};
  options.max_threads = 4;
  for (int i = 0; i < 10; ++i) {
    channel_.emplace(ConnectWhenServed(address_, options));
    stub_.emplace(*channel_);
    EXPECT_EQ(stub_->Note(Item()), absl::OkStatus());
    Join();
    DropChannel();
  }
  End();
}

INSTANTIATE_TEST_SUITE_P(Schemes, AsidePeerTest, testing::ValuesIn(kTalkSchemes));

}  // namespace
}  // namespace ferry::test
