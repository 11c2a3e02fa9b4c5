// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Handlers that answer when they have returned.

#include "ferry/rpc/answer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/channel.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {
namespace {

// Answers that are owed. Thread contract: thread-safe.
class Owed {
 public:
  void Put(Answer<Item> answer) {
    internal::MutexLock lock(mutex_);
    answers_.push_back(std::move(answer));
    changed_.NotifyAll();
  }
  Answer<Item> Take() {
    internal::MutexLock lock(mutex_);
    while (answers_.empty()) changed_.Wait(mutex_);
    Answer<Item> answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

 private:
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::deque<Answer<Item>> answers_ ABSL_GUARDED_BY(mutex_);
};

class AnswerTest : public TalkTest {
 protected:
  AnswerTest() {
    service_.say = [this](ServerContext& context, const Item& request, Item& reply) {
      Answer<Item> answer = AnswerLater(context, reply);
      answer.reply() = request;
      owed_.Put(std::move(answer));
      return absl::AbortedError("goes nowhere");
    };
  }
  void StartWith(size_t threads, size_t max_requests = kNoLimit) {
    ServerOptions server_options;
    server_options.max_threads = threads;
    server_options.max_requests = max_requests;
    ChannelOptions options;
    options.async = true;
    Start(server_options, options);
  }
  void DropChannel() {
    stub_.reset();
    channel_.reset();
  }
  ~AnswerTest() override { DropChannel(); }

  Owed owed_;
};

INSTANTIATE_TEST_SUITE_P(All, AnswerTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(AnswerTest, ManyAnswersAreOwedByOneThread) {
  StartWith(1);
  constexpr int kCalls = 200;
  std::atomic<int> done{0};
  Signal all;
  for (int i = 0; i < kCalls; ++i) {
    stub_->Say(Numbered(i), [&, i](absl::StatusOr<Item> reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      if (reply.ok()) {
        EXPECT_EQ(reply->number(), i);
      }
      if (++done == kCalls) all.Set();
    });
  }
  std::vector<Answer<Item>> answers;
  for (int i = 0; i < kCalls; ++i) answers.push_back(owed_.Take());
  EXPECT_EQ(done, 0);
  for (Answer<Item>& answer : answers) answer.Finish();
  all.Await();
}

TEST_P(AnswerTest, AnAnswerMayBeAStatusAndHasMetadata) {
  StartWith(2);
  std::thread answering([&] {
    Answer<Item> answer = owed_.Take();
    EXPECT_EQ(answer.metadata().Find("who"), "me");
    answer.trailing_metadata().Add("why", "because");
    answer.Finish(absl::NotFoundError("nothing there"));
  });
  CallOptions options;
  options.metadata.Add("who", "me");
  Metadata trailing;
  options.trailing_metadata = &trailing;
  absl::Status status = stub_->Say(Item(), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_EQ(trailing.Find("why"), "because");
  answering.join();
}

TEST_P(AnswerTest, OneThatIsDroppedEndsTheCall) {
  StartWith(2);
  std::thread answering([&] { owed_.Take(); });
  absl::Status status = stub_->Say(Item()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  answering.join();
}

TEST_P(AnswerTest, OneThatIsCancelledIsTold) {
  StartWith(1);
  std::atomic<int> told{0};
  for (int round = 0; round < 20; ++round) {
    Cancellation cancellation;
    CallOptions options;
    options.cancellation = &cancellation;
    Signal ended;
    stub_->Say(
        Item(),
        [&](absl::StatusOr<Item> reply) {
          EXPECT_EQ(reply.status().code(), absl::StatusCode::kCancelled) << reply.status();
          ended.Set();
        },
        options);
    std::optional<Answer<Item>> answer(owed_.Take());
    Signal callback_ran;
    answer->OnCancel([&] {
      // Also from inside, on every other round.
      if (round % 2 == 0) answer->Finish();
      ++told;
      callback_ran.Set();
    });
    cancellation.Cancel();
    ended.Await();
    callback_ran.Await();
    if (round % 2 != 0) {
      EXPECT_TRUE(answer->IsCancelled());
      answer->Finish();  // goes nowhere
    }
  }
  EXPECT_EQ(told, 20);
}

// Nobody waits for it, whatever the method says.
TEST_P(AnswerTest, OneOfAOneWayCallGoesNowhere) {
  StartWith(1);
  constexpr Method kSay("ferry.test.Talk/Say", CallShape::kUnary, Execution::kInline);
  ASSERT_TRUE(channel_->SendOneWay(kSay, Item(), CallOptions()).ok());
  Answer<Item> answer = owed_.Take();
  answer.OnCancel([] {});
  EXPECT_FALSE(answer.IsCancelled());
  EXPECT_TRUE(answer.metadata().empty());
  answer.Finish();
}

TEST_P(AnswerTest, TheDeadlineHoldsWhileAnAnswerIsOwed) {
  StartWith(1);
  CallOptions options;
  options.timeout = absl::Milliseconds(20);
  absl::Status status = stub_->Say(Item(), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  Answer<Item> answer = owed_.Take();
  while (!answer.IsCancelled()) std::this_thread::yield();
}

TEST_P(AnswerTest, OwedAnswersCountAsRequests) {
  StartWith(2, 1);
  Signal first_done;
  stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    first_done.Set();
  });
  Answer<Item> answer = owed_.Take();
  absl::Status status = stub_->Say(Item()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  answer.Finish();
  first_done.Await();
}

TEST_P(AnswerTest, AShutdownWaitsForThemAsLongAsItsGrace) {
  StartWith(2);
  Signal done;
  stub_->Say(Numbered(5), [&](absl::StatusOr<Item> reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    done.Set();
  });
  Answer<Item> answer = owed_.Take();
  Shutdown(absl::InfiniteDuration());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(done.is_set());
  EXPECT_FALSE(answer.IsCancelled());
  answer.Finish();
  done.Await();
}

TEST_P(AnswerTest, OneThatOutlivesTheServerGoesNowhere) {
  StartWith(2);
  Signal done;
  stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
    EXPECT_FALSE(reply.ok());
    done.Set();
  });
  Answer<Item> answer = owed_.Take();
  Stop();
  done.Await();
  EXPECT_TRUE(answer.IsCancelled());
  answer.Finish();
}

}  // namespace
}  // namespace ferry::test
