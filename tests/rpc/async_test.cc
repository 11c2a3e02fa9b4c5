// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Calls that no thread waits for.

#include "tests/rpc/async_test.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/channel.h"

namespace ferry::test {
namespace {

INSTANTIATE_TEST_SUITE_P(All, AsyncTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(AsyncTest, ACallbackGetsTheReply) {
  service_.say = SendBack;
  StartAsync();
  Signal done;
  Item reply;
  std::thread::id caller = std::this_thread::get_id();
  stub_->Say(Numbered(7), &reply, [&](absl::Status status) {
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(reply.number(), 7);
    EXPECT_NE(std::this_thread::get_id(), caller);
    done.Set();
  });
  done.Await();

  Signal done_too;
  auto only_moves = std::make_unique<int>(8);
  stub_->Say(Sized(1000000), [&, expected = std::move(only_moves)](absl::StatusOr<Item> item) {
    EXPECT_EQ(*expected, 8);
    EXPECT_TRUE(item.ok()) << item.status();
    if (item.ok()) {
      EXPECT_EQ(item->body().size(), 1000000u);
    }
    done_too.Set();
  });
  done_too.Await();
}

TEST_P(AsyncTest, ACallbackGetsTheHandlersStatusAndMetadata) {
  service_.say = [](ServerContext& context, const Item&, Item&) {
    EXPECT_EQ(context.metadata().Find("who"), "me");
    context.trailing_metadata().Add("why", "because");
    return absl::AbortedError("as it should be");
  };
  StartAsync();
  CallOptions options;
  options.metadata.Add("who", "me");
  Metadata trailing;
  options.trailing_metadata = &trailing;
  Signal done;
  stub_->Say(
      Item(),
      [&](absl::StatusOr<Item> reply) {
        EXPECT_EQ(reply.status().code(), absl::StatusCode::kAborted) << reply.status();
        EXPECT_EQ(trailing.Find("why"), "because");
        done.Set();
      },
      options);
  done.Await();
}

TEST_P(AsyncTest, ManyCallsAreUnderWayAndCallbacksStartMore) {
  service_.say = SendBack;
  StartAsync();
  for (int in_flight : {64, 1024}) {
    constexpr int kRounds = 5;
    Countdown all(in_flight * (kRounds + 1));
    std::function<void(int)> call = [&](int round) {
      stub_->Say(Numbered(round), [&, round](absl::StatusOr<Item> reply) {
        EXPECT_TRUE(reply.ok()) << reply.status();
        if (reply.ok()) {
          EXPECT_EQ(reply->number(), round);
        }
        if (round > 0) call(round - 1);
        all.Tick();
      });
    };
    for (int i = 0; i < in_flight; ++i) call(kRounds);
    all.Await();
  }
}

TEST_P(AsyncTest, CallbacksThatBlockDoNotHoldUpOthers) {
  service_.say = SendBack;
  StartAsync();
  Signal first_may_go, second_is_done;
  Countdown all(2);
  stub_->Say(Numbered(1), [&](absl::StatusOr<Item>) {
    first_may_go.Await();  // which the other callback sets
    all.Tick();
  });
  stub_->Say(Numbered(2), [&](absl::StatusOr<Item>) {
    first_may_go.Set();
    all.Tick();
  });
  all.Await();
}

TEST_P(AsyncTest, CallbacksMayCallAndWait) {
  service_.say = SendBack;
  StartAsync();
  Countdown all(20);
  for (int i = 0; i < 20; ++i) {
    stub_->Say(Numbered(i), [&, i](absl::StatusOr<Item>) {
      Item reply;
      absl::Status status = stub_->Say(Numbered(2 * i), &reply);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(reply.number(), 2 * i);
      all.Tick();
    });
  }
  all.Await();
}

TEST_P(AsyncTest, ADeadlineHoldsWithoutAThreadThatWaits) {
  service_.say = AwaitCancel;
  StartAsync();
  Countdown all(3);
  for (int i : {2, 0, 1}) {
    CallOptions options;
    options.timeout = absl::Milliseconds(10 + 30 * i);
    stub_->Say(
        Item(),
        [&](absl::StatusOr<Item> reply) {
          EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
          all.Tick();
        },
        options);
  }
  all.Await();
}

TEST_P(AsyncTest, ACancellationEndsCallsThatAreUnderWay) {
  Countdown cancelled(10);
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    absl::Status status = AwaitCancel(context, request, reply);
    cancelled.Tick();
    return status;
  };
  StartAsync();
  Cancellation cancellation;
  CallOptions options;
  options.cancellation = &cancellation;
  Countdown all(11);
  auto expect_cancelled = [&](absl::StatusOr<Item> reply) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kCancelled) << reply.status();
    all.Tick();
  };
  for (int i = 0; i < 10; ++i) stub_->Say(Item(), expect_cancelled, options);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // so that the handlers begin
  cancellation.Cancel();
  stub_->Say(Item(), expect_cancelled, options);  // one that comes later
  all.Await();
  cancelled.Await();
  DropChannel();
  Stop();  // whose threads use what is ours
}

TEST_P(AsyncTest, WhatTheServerHasNoRoomForFailsAtOnce) {
  Signal may_end;
  service_.say = [&](ServerContext&, const Item&, Item&) {
    may_end.Await();
    return absl::OkStatus();
  };
  ServerOptions server_options;
  server_options.request_credit = 10000;
  server_options.max_threads = 1;
  ChannelOptions options;
  options.async = true;
  Start(server_options, options);
  std::atomic<int> refused{0};
  Countdown all(10);
  for (int i = 0; i < 10; ++i) {
    stub_->Say(Sized(4000), [&](absl::StatusOr<Item> reply) {
      if (absl::IsResourceExhausted(reply.status())) {
        EXPECT_EQ(CallFailureOf(reply.status())->delivery, CallFailure::Delivery::kNotSent);
        ++refused;
      } else {
        EXPECT_TRUE(reply.ok()) << reply.status();
      }
      all.Tick();
    });
  }
  may_end.Set();
  all.Await();
  EXPECT_GT(refused, 0);
  DropChannel();
  Stop();  // whose threads use what is ours
}

TEST_P(AsyncTest, AHandlersChannelCallsAsynchronously) {
  Countdown all(5);
  service_.say = [&](ServerContext& context, const Item& request, Item&) {
    TalkStub(context.channel()).Say(request, [&, request](absl::StatusOr<Item> reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      if (reply.ok()) {
        EXPECT_EQ(reply->number(), request.number());
      }
      all.Tick();
    });
    return absl::OkStatus();
  };
  TalkImpl ours;
  ours.say = SendBack;
  ChannelOptions options;
  options.services = {&ours};
  Start({}, options);
  for (int i = 0; i < 5; ++i) {
    Item reply;
    ASSERT_TRUE(stub_->Say(Numbered(i), &reply).ok());
  }
  all.Await();
  DropChannel();
}

TEST_P(AsyncTest, ManyThreadsStartCallsWithDeadlinesAndCancelThem) {
  service_.say = SendBack;
  StartAsync();
  constexpr int kThreads = 8, kCalls = 300;
  Countdown all(kThreads * kCalls);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Cancellation cancellation;
      Countdown mine(kCalls);
      for (int i = 0; i < kCalls; ++i) {
        CallOptions options;
        if (i % 3 == 0) options.timeout = absl::Microseconds(10 * (i % 50));
        if (i % 2 == 0) options.cancellation = &cancellation;
        stub_->Say(
            Numbered(i),
            [&, i](absl::StatusOr<Item> reply) {
              if (reply.ok()) {
                EXPECT_EQ(reply->number(), i);
              }
              mine.Tick();
              all.Tick();
            },
            options);
        if (i == 200 + t) cancellation.Cancel();
      }
      mine.Await();
    });
  }
  for (std::thread& thread : threads) thread.join();
  all.Await();
}

}  // namespace
}  // namespace ferry::test
