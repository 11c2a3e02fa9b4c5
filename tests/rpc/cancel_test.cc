// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// How callers and time end calls, and how handlers see it.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "ferry/rpc/call_failure.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

class CancelTest : public TalkTest {
 protected:
  ~CancelTest() override { Stop(); }  // before what handlers use goes

  // A handler that says when it has begun, and ends when it is cancelled.
  absl::Status AwaitCancel(ServerContext& context) {
    Signal cancelled;
    context.OnCancel([&] { cancelled.Set(); });
    begun_.Set();
    cancelled.Await();
    context.OnCancel(nullptr);
    EXPECT_TRUE(context.IsCancelled());
    ended_.Set();
    return absl::OkStatus();
  }
  void SayUntilCancelled() {
    service_.say = [this](ServerContext& context, const Item&, Item&) {
      return AwaitCancel(context);
    };
  }
  // Cancels when the handler has begun.
  std::thread CancelLater() {
    return std::thread([this] {
      begun_.Await();
      cancellation_.Cancel();
    });
  }

  Signal begun_;
  Signal ended_;
  Cancellation cancellation_;
};
INSTANTIATE_TEST_SUITE_P(All, CancelTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

CallOptions With(Cancellation& cancellation) {
  CallOptions options;
  options.cancellation = &cancellation;
  return options;
}

CallOptions Within(absl::Duration timeout) {
  CallOptions options;
  options.timeout = timeout;
  return options;
}

TEST_P(CancelTest, AnotherThreadEndsACallAndItsHandlerIsTold) {
  SayUntilCancelled();
  Start();
  std::thread cancelling = CancelLater();
  absl::Status status = stub_->Say(Item(), With(cancellation_)).status();
  cancelling.join();
  EXPECT_EQ(status.code(), StatusCode::kCancelled) << status;
  EXPECT_EQ(status.message(), "ferry.test.Talk/Say: the caller cancelled it");
  EXPECT_EQ(CallFailureOf(status)->delivery, CallFailure::Delivery::kMaybeExecuted);
  ended_.Await();
}

TEST_P(CancelTest, OneCancellationEndsManyCalls) {
  SayUntilCancelled();
  Start();
  std::vector<std::thread> calling;
  for (int i = 0; i < 10; ++i) {
    calling.emplace_back([this] {
      EXPECT_EQ(stub_->Say(Item(), With(cancellation_)).status().code(), StatusCode::kCancelled);
    });
  }
  CancelLater().join();
  for (std::thread& thread : calling) thread.join();
}

TEST_P(CancelTest, ACallThatIsCancelledBeforehandIsNotSent) {
  Start();
  cancellation_.Cancel();
  absl::Status status = stub_->Say(Item(), With(cancellation_)).status();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(CallFailureOf(status)->delivery, CallFailure::Delivery::kNotSent);
  EXPECT_EQ(stub_->Chat(With(cancellation_)).Finish().code(), StatusCode::kCancelled);
  EXPECT_EQ(stub_->Note(Item(), With(cancellation_)).code(), StatusCode::kCancelled);
}

TEST_P(CancelTest, ACallThatHasEndedIsNotTouched) {
  service_.say = [](ServerContext&, const Item&, Item&) { return absl::OkStatus(); };
  Start();
  EXPECT_TRUE(stub_->Say(Item(), With(cancellation_)).ok());
  cancellation_.Cancel();
}

TEST_P(CancelTest, AHandlerMayAskInsteadOfBeingTold) {
  service_.say = [this](ServerContext& context, const Item&, Item&) {
    begun_.Set();
    while (!context.IsCancelled()) std::this_thread::yield();
    ended_.Set();
    return absl::OkStatus();
  };
  Start();
  std::thread cancelling = CancelLater();
  EXPECT_EQ(stub_->Say(Item(), With(cancellation_)).status().code(), StatusCode::kCancelled);
  cancelling.join();
  ended_.Await();
}

TEST_P(CancelTest, EndsReadsAndWritesOfBothSides) {
  service_.chat = [this](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    begun_.Set();
    Item item;
    EXPECT_FALSE(stream.Read(&item));
    EXPECT_FALSE(stream.Write(item));
    EXPECT_TRUE(context.IsCancelled());
    ended_.Set();
    return absl::OkStatus();
  };
  Start();
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  std::thread cancelling([&] {
    begun_.Await();
    stream.Cancel();
  });
  Item item;
  EXPECT_FALSE(stream.Read(&item));
  EXPECT_FALSE(stream.Write(item));
  cancelling.join();
  EXPECT_EQ(stream.Finish().code(), StatusCode::kCancelled);
  ended_.Await();
}

TEST_P(CancelTest, WakesWhoWaitsForCredit) {
  service_.count = [this](ServerContext&, const Item&, ServerWriter<Item>& replies) {
    while (replies.Write(Sized(100000))) begun_.Set();
    ended_.Set();
    return absl::OkStatus();
  };
  service_.sum = [this](ServerContext& context, ServerReader<Item>&, Item&) {
    return AwaitCancel(context);
  };
  Start();
  ClientReader<Item> unread = stub_->Count(Item());
  begun_.Await();
  unread.Cancel();
  ended_.Await();

  Item reply;
  ClientWriter<Item> writer = stub_->Sum(&reply, With(cancellation_));
  std::thread cancelling = CancelLater();
  while (writer.Write(Sized(100000))) {
  }
  cancelling.join();
  EXPECT_EQ(writer.Finish().code(), StatusCode::kCancelled);
}

TEST_P(CancelTest, AStreamThatGoesAwayIsCancelled) {
  service_.chat = [this](ServerContext& context, ServerReaderWriter<Item, Item>&) {
    return AwaitCancel(context);
  };
  Start();
  { ClientReaderWriter<Item, Item> stream = stub_->Chat(); }
  ended_.Await();
}

TEST_P(CancelTest, ACallThatWaitsForAServerIsCancelled) {
  Start();
  Stop();
  CallOptions options = With(cancellation_);
  options.wait_for_ready = true;
  begun_.Set();
  std::thread cancelling = CancelLater();
  EXPECT_EQ(stub_->Say(Item(), options).status().code(), StatusCode::kCancelled);
  cancelling.join();
}

TEST_P(CancelTest, ADeadlineEndsTheCallOnBothSides) {
  SayUntilCancelled();
  Start();
  absl::Status status = stub_->Say(Item(), Within(absl::Milliseconds(20))).status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status;
  ended_.Await();
}

TEST_P(CancelTest, ADeadlineEndsReadsAndWritesOfBothSides) {
  service_.chat = [this](ServerContext&, ServerReaderWriter<Item, Item>& stream) {
    Item item;
    EXPECT_FALSE(stream.Read(&item));
    ended_.Set();
    return absl::OkStatus();
  };
  Start();
  ClientReaderWriter<Item, Item> stream = stub_->Chat(Within(absl::Milliseconds(20)));
  Item item;
  EXPECT_FALSE(stream.Read(&item));
  EXPECT_FALSE(stream.Write(item));
  EXPECT_EQ(stream.Finish().code(), StatusCode::kDeadlineExceeded);
  ended_.Await();
}

TEST_P(CancelTest, AHandlerKnowsItsDeadline) {
  std::atomic<Deadline> seen;
  service_.say = [&](ServerContext& context, const Item&, Item&) {
    seen = context.deadline();
    return absl::OkStatus();
  };
  Start();
  EXPECT_TRUE(stub_->Say(Item()).ok());
  EXPECT_EQ(seen.load(), kNoDeadline);
  Deadline before = DeadlineAfter(absl::Seconds(100));
  EXPECT_TRUE(stub_->Say(Item(), Within(absl::Seconds(100))).ok());
  EXPECT_GE(seen.load() + std::chrono::microseconds(1), before);
  EXPECT_LE(seen.load(), DeadlineAfter(absl::Seconds(100)));
}

TEST_P(CancelTest, CallsOfAHandlerInheritItsDeadlineUnlessToldOtherwise) {
  std::atomic<Deadline> outer, inherited, own;
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    begun_.Await();
    if (request.number() == 0) {
      outer = context.deadline();
      CallOptions options;
      EXPECT_TRUE(stub_->Say(Numbered(1), &reply, options).ok());
      options.inherit_deadline = false;
      EXPECT_TRUE(stub_->Say(Numbered(2), &reply, options).ok());
    } else {
      (request.number() == 1 ? inherited : own) = context.deadline();
    }
    return absl::OkStatus();
  };
  Start();
  begun_.Set();  // the stub is there for handlers, too
  EXPECT_TRUE(stub_->Say(Numbered(0), Within(absl::Seconds(100))).ok());
  EXPECT_LE(inherited.load(), outer.load() + std::chrono::seconds(1));
  EXPECT_EQ(own.load(), kNoDeadline);
}

TEST_P(CancelTest, ACallbackThatIsGivenTooLateRunsAtOnce) {
  service_.say = [this](ServerContext& context, const Item&, Item&) {
    begun_.Set();
    while (!context.IsCancelled()) std::this_thread::yield();
    Signal told;
    while (!told.is_set()) context.OnCancel([&] { told.Set(); });
    ended_.Set();
    return absl::OkStatus();
  };
  Start();
  std::thread cancelling = CancelLater();
  EXPECT_EQ(stub_->Say(Item(), With(cancellation_)).status().code(), StatusCode::kCancelled);
  cancelling.join();
  ended_.Await();
}

}  // namespace
}  // namespace ferry::test
