// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// How asynchronous calls end with their channel, or begin without a connection.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/channel.h"
#include "tests/rpc/async_test.h"
#include "tests/rpc/reactors.h"

namespace ferry::test {
namespace {

class AsyncLifeTest : public AsyncTest {};
INSTANTIATE_TEST_SUITE_P(All, AsyncLifeTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(AsyncLifeTest, TheEndOfAConnectionEndsEachCallOnce) {
  service_.say = AwaitCancel;
  StartAsync();
  std::atomic<int> ended{0};
  constexpr int kCalls = 100;
  for (int i = 0; i < kCalls; ++i) {
    stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
      EXPECT_FALSE(reply.ok());
      EXPECT_TRUE(CallFailureOf(reply.status()).has_value());
      ++ended;
    });
  }
  DropChannel();
  EXPECT_EQ(ended, kCalls);  // the last handle has waited for them
}

TEST_P(AsyncLifeTest, ACallbackMayDropTheLastHandle) {
  service_.say = SendBack;
  Signal dropped;
  auto lives = std::make_shared<bool>(true);
  ChannelOptions options;
  options.on_event = [lives](const Event&) {};
  StartAsync(std::exchange(options, {}));
  auto last = std::make_unique<TalkStub>(*channel_);
  DropChannel();
  TalkStub* stub = last.get();
  stub->Say(Numbered(1), [&, last = std::move(last)](absl::StatusOr<Item>) mutable {
    last.reset();
    dropped.Set();
  });
  dropped.Await();
  while (lives.use_count() > 1) std::this_thread::yield();  // until all of it has gone
}

// Also one that says that there is no connection.
TEST_P(AsyncLifeTest, ACallbackOfACallThatCouldNotBeginMayDropTheLastHandle) {
  Signal dropped;
  auto lives = std::make_shared<bool>(true);
  ChannelOptions options;
  options.max_threads = 1;
  options.on_event = [lives](const Event&) {};
  StartAsync(std::exchange(options, {}));
  auto last = std::make_unique<TalkStub>(*channel_);
  DropChannel();
  Stop();
  TalkStub* stub = last.get();
  stub->Say(Item(), [&, last = std::move(last)](absl::StatusOr<Item> reply) mutable {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable) << reply.status();
    last.reset();
    dropped.Set();
  });
  dropped.Await();
  while (lives.use_count() > 1) std::this_thread::yield();
}

// A server that ends without a grace may not say that it has not taken a call.
bool MayHaveRun(const absl::Status& status) {
  std::optional<CallFailure> failure = CallFailureOf(status);
  return failure.has_value() && failure->delivery == CallFailure::Delivery::kMaybeExecuted;
}

TEST_P(AsyncLifeTest, OneThreadConnectsAndReads) {
  service_.say = SendBack;
  ChannelOptions options;
  options.max_threads = 1;
  StartAsync(options);
  for (int i = 0; i < 3; ++i) {
    Stop();
    StartServer({});
    Signal done;
    CallOptions call;
    call.wait_for_ready = true;
    stub_->Say(
        Numbered(i),
        [&](absl::StatusOr<Item> reply) {
          EXPECT_TRUE(reply.ok() || MayHaveRun(reply.status())) << reply.status();
          done.Set();
        },
        call);
    done.Await();
  }
}

// So that none is left to read the connection that they wait for, if each took one.
TEST_P(AsyncLifeTest, MoreCallsThanThreadsWaitForAServer) {
  service_.say = SendBack;
  service_.count = [](ServerContext&, const Item&, ServerWriter<Item>& replies) {
    replies.Write(Item());
    return absl::OkStatus();
  };
  ChannelOptions options;
  options.max_threads = 2;
  StartAsync(options);
  StopAndNotice();
  CallOptions call;
  call.wait_for_ready = true;
  constexpr int kCalls = 50;
  Countdown left(kCalls);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < kCalls; ++i) {
    stub_->Say(
        Numbered(i),
        [&, i](absl::StatusOr<Item> reply) {
          EXPECT_TRUE(reply.ok()) << reply.status();
          EXPECT_EQ(reply.ok() ? reply->number() : -1, i);
          left.Tick();
        },
        call);
    readers.push_back(std::make_unique<Reader>());
    stub_->Count(Item(), *readers.back(), call);
  }
  StartServer({});
  left.Await();
  for (const auto& reader : readers) {
    EXPECT_TRUE(reader->outcome.Await().ok()) << reader->outcome.Await();
    EXPECT_EQ(reader->reads, 1);
  }
}

TEST_P(AsyncLifeTest, AChannelWithoutAThreadForCallbacksSaysSo) {
  service_.say = SendBack;
  Start();
  bool told = false;
  stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kFailedPrecondition) << reply.status();
    told = true;
  });
  EXPECT_TRUE(told);
}

TEST_P(AsyncLifeTest, ACallWithoutAConnectionConnects) {
  service_.say = SendBack;
  StartAsync();
  Stop();
  Signal refused;
  stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable) << reply.status();
    refused.Set();
  });
  refused.Await();
  Signal done;
  CallOptions options;
  options.wait_for_ready = true;
  stub_->Say(
      Numbered(3),
      [&](absl::StatusOr<Item> reply) {
        EXPECT_TRUE(reply.ok()) << reply.status();
        if (reply.ok()) {
          EXPECT_EQ(reply->number(), 3);
        }
        done.Set();
      },
      options);
  StartServer({});
  done.Await();
}

}  // namespace
}  // namespace ferry::test
