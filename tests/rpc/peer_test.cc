// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Channels that serve their other side: what they are given, how long they last, how they end.

#include "tests/rpc/peer_test.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "ferry/rpc/answer.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/channel.h"

namespace ferry::test {
namespace {

class ServingChannelTest : public PeerTest {
 protected:
  // The server keeps the channel to who calls.
  void KeepChannels() {
    service_.note = [this](ServerContext& context, const Item&) {
      kept_.emplace(context.channel());
      has_kept_.Set();
      return absl::OkStatus();
    };
  }

  void StartAndKeep() {
    StartPeers(4);
    ASSERT_TRUE(stub_->Note(Item()).ok());
    has_kept_.Await();
  }

  std::optional<Channel> kept_;
  Signal has_kept_;
};

TEST_P(ServingChannelTest, AKeptChannelCallsUntilTheClientGoes) {
  KeepChannels();
  ours_.say = [](ServerContext&, const Item& request, Item& reply) {
    reply = request;
    return absl::OkStatus();
  };
  StartAndKeep();
  TalkStub back(*kept_);
  for (int i = 0; i < 100; ++i) {
    Item reply;
    absl::Status status = back.Say(Numbered(i), &reply);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(reply.number(), i);
  }
  DropChannel();
  absl::Status status;
  Item reply;
  do status = back.Say(Numbered(1), &reply);
  while (status.ok());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  Stop();
  status = back.Say(Numbered(1), &reply);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  ASSERT_TRUE(CallFailureOf(status).has_value());
  EXPECT_EQ(CallFailureOf(status)->delivery, CallFailure::Delivery::kNotSent);
}

TEST_P(ServingChannelTest, WhoServesNothingAnswersUnimplemented) {
  service_.say = Descend;
  Start();
  Item reply;
  absl::Status status = stub_->Say(Numbered(1), &reply);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
}

TEST_P(ServingChannelTest, AServiceRegisteredTwiceIsRefused) {
  Start();
  ChannelOptions options;
  options.services = {&ours_, &ours_};
  absl::StatusOr<Channel> channel = Connect(address_, options);
  EXPECT_EQ(channel.status().code(), absl::StatusCode::kAlreadyExists) << channel.status();
  options.services = {&ours_};
  options.keepalive = absl::Seconds(1);
  channel = Connect(address_, options);
  EXPECT_EQ(channel.status().code(), absl::StatusCode::kUnimplemented) << channel.status();
}

TEST_P(ServingChannelTest, TheLastHandleWaitsForHandlers) {
  KeepChannels();
  Signal entered;
  std::atomic<bool> has_returned{false};
  ours_.say = [&](ServerContext& context, const Item&, Item&) {
    entered.Set();
    while (!context.IsCancelled()) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    has_returned = true;
    return absl::OkStatus();
  };
  StartAndKeep();
  std::thread caller([&] {
    Item reply;
    absl::Status status = TalkStub(*kept_).Say(Item(), &reply);
    EXPECT_FALSE(status.ok());
  });
  entered.Await();
  DropChannel();
  EXPECT_TRUE(has_returned);
  caller.join();
}

TEST_P(ServingChannelTest, AHandlerMayDropTheLastHandle) {
  KeepChannels();
  Signal dropped;
  auto lives = std::make_shared<bool>(true);
  ChannelOptions options;
  options.on_event = [lives](const Event&) {};
  StartPeers(4, std::exchange(options, {}));
  Channel last = *channel_;
  ours_.say = [&](ServerContext& context, const Item&, Item&) {
    last = context.channel();  // which keeps nothing
    EXPECT_TRUE(context.IsCancelled());
    dropped.Set();
    return absl::OkStatus();
  };
  ASSERT_TRUE(stub_->Note(Item()).ok());
  has_kept_.Await();
  DropChannel();
  Item reply;
  absl::Status status = TalkStub(*kept_).Say(Item(), &reply);
  EXPECT_FALSE(status.ok());
  dropped.Await();
  while (lives.use_count() > 1) std::this_thread::yield();  // until all of it has gone
}

TEST_P(ServingChannelTest, AHandlersChannelMayCloseTheConnection) {
  service_.say = [](ServerContext& context, const Item&, Item&) {
    context.channel().Close();
    EXPECT_TRUE(context.IsCancelled());
    return absl::OkStatus();
  };
  ChannelOptions options;
  options.reconnect = Reconnect::kNever;
  StartPeers(2, options);
  Item reply;
  absl::Status status = stub_->Say(Item(), &reply);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

// A handler for one client waits for another one, which the same thread reads.
TEST_P(ServingChannelTest, AHandlerCallsAnotherClient) {
  KeepChannels();
  service_.say = [this](ServerContext&, const Item& request, Item& reply) {
    return TalkStub(*kept_).Say(request, &reply);
  };
  ours_.say = [](ServerContext&, const Item& request, Item& reply) {
    reply = request;
    return absl::OkStatus();
  };
  for (size_t threads : {size_t{1}, size_t{4}}) {
    StartPeers(threads);
    ASSERT_TRUE(stub_->Note(Item()).ok());
    has_kept_.Await();
    {
      TalkStub other(*Connect(address_));
      for (int i = 0; i < 200; ++i) {
        Item reply;
        ASSERT_TRUE(other.Say(Numbered(i), &reply).ok());
        ASSERT_EQ(reply.number(), i);
        // The one it waited for is read on.
        if (i % 10 == 5) {
          ASSERT_TRUE(stub_->Say(Numbered(i), &reply).ok());
        }
      }
    }
    DropChannel();
    Stop();
  }
}

// The handler's channel and an answer outlive the channel that it serves on.
TEST_P(ServingChannelTest, WhatHandlersKeepMayOutliveTheChannel) {
  std::optional<Channel> back;
  std::optional<Answer<Item>> owed;
  Signal has_owed;
  KeepChannels();
  ours_.say = [&](ServerContext& context, const Item&, Item& reply) {
    back.emplace(context.channel());
    owed.emplace(AnswerLater(context, reply));
    has_owed.Set();
    return absl::OkStatus();
  };
  StartAndKeep();
  std::thread caller([&] {
    Item reply;
    EXPECT_FALSE(TalkStub(*kept_).Say(Item(), &reply).ok());
  });
  has_owed.Await();
  DropChannel();
  caller.join();
  Item reply;
  EXPECT_FALSE(TalkStub(*back).Say(Item(), &reply).ok());
  back->Close();
  EXPECT_TRUE(owed->IsCancelled());
  owed->Finish();
}

TEST_P(ServingChannelTest, AForkedProcessLeavesItAlone) {
  service_.say = Descend;
  ours_.say = [](ServerContext&, const Item&, Item&) { return absl::OkStatus(); };
  StartPeers(2);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);  // rather than to wait for threads that are not there
    Item reply;
    bool refused = absl::IsFailedPrecondition(stub_->Say(Numbered(1), &reply));
    DropChannel();
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Item reply;
  EXPECT_TRUE(stub_->Say(Numbered(1), &reply).ok());
}

// Both sides wait for each other, nested, when the connection ends.
TEST_P(ServingChannelTest, TheEndOfAConnectionEndsEveryNestedCall) {
  std::atomic<int> depth{0};
  service_.say = ours_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    if (++depth == 20) channel_->Close();
    absl::Status status = TalkStub(context.channel()).Say(request, &reply);
    EXPECT_FALSE(status.ok());
    return status;
  };
  StartPeers(1);
  Item reply;
  absl::Status status = stub_->Say(Item(), &reply);
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_EQ(depth, 20);
}

TEST_P(ServingChannelTest, ANewConnectionIsServedAsTheLastWas) {
  service_.say = Descend;
  ours_.say = [](ServerContext&, const Item&, Item&) { return absl::OkStatus(); };
  StartPeers(1);
  for (int i = 0; i < 3; ++i) {
    Item reply;
    CallOptions options;
    options.wait_for_ready = true;
    absl::Status status = stub_->Say(Numbered(1), &reply, options);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(reply.number(), 1);
    StopAndNotice();
    StartServer({});
  }
}

INSTANTIATE_TEST_SUITE_P(All, ServingChannelTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

}  // namespace
}  // namespace ferry::test
