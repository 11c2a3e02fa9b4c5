// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Many callers at once, over pipes that hold less than one of their messages, both ways.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ferry/rpc/internal/sole_lane.h"
#include "talk.ferry.h"
#include "tests/rpc/talk_service.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {
namespace {

constexpr int kCapacity = 8192;
constexpr size_t kMessage = 20000;
constexpr int kCallers = 512;
constexpr int kCallsEach = 4;

Item Large() {
  Item item;
  item.set_body(std::string(kMessage, 'x'));
  return item;
}

absl::Status SendBack(ServerContext&, ServerReaderWriter<Item, Item>& stream) {
  for (Item item; stream.Read(&item);) {
    if (!stream.Write(item)) return absl::AbortedError("nobody reads");
  }
  return absl::OkStatus();
}

class SmallPipesTest : public testing::Test {
 protected:
  explicit SmallPipesTest(decltype(TalkImpl::chat) chat = SendBack) {
    service_.say = [](ServerContext&, const Item& request, Item& reply) {
      reply = request;
      return absl::OkStatus();
    };
    service_.chat = std::move(chat);
    EXPECT_TRUE(registry_.Add(service_).ok());
    auto [client, server] = CreatePipePair(kCapacity);
    lane_ = internal::SoleLane::Create(
        pool_, supervisor_,
        std::make_shared<internal::Session>(std::move(server), kDefaultMaxMessage, registry_));
    supervisor_.Add(lane_);
    thread_ = std::thread([this] {
      lane_->LeadFirst();
      pool_->WorkUntil([this] { return lane_->ended(); });
    });
    absl::StatusOr<Channel> channel =
        internal::OpenChannel(std::move(client), ChannelOptions(), kNoDeadline);
    EXPECT_TRUE(channel.ok()) << channel.status();
    channel_.emplace(*channel);
    stub_.emplace(*channel);
  }
  ~SmallPipesTest() override {
    channel_->Close();
    thread_.join();
    pool_->Stop();
    supervisor_.Remove(*lane_);
  }

  void OnManyThreads(const std::function<void()>& call) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kCallers; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < kCallsEach; ++k) call();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  TalkImpl service_;
  internal::ServiceRegistry registry_;
  const std::shared_ptr<internal::WorkerPool> pool_ = std::make_shared<internal::WorkerPool>(8);
  internal::Supervisor supervisor_;
  std::shared_ptr<internal::SoleLane> lane_;
  std::thread thread_;
  std::optional<Channel> channel_;
  std::optional<TalkStub> stub_;
};

TEST_F(SmallPipesTest, CallsOfManyThreadsDoNotLockEachOtherOut) {
  OnManyThreads([this] {
    Item reply;
    absl::Status status = stub_->Say(Large(), &reply);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(reply.body().size(), kMessage);
  });
}

TEST_F(SmallPipesTest, StreamsOfManyThreadsDoNotLockEachOtherOut) {
  OnManyThreads([this] {
    ClientReaderWriter<Item, Item> stream = stub_->Chat();
    Item reply;
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(stream.Write(Large()));
      ASSERT_TRUE(stream.Read(&reply));
      ASSERT_EQ(reply.body().size(), kMessage);
    }
    absl::Status status = stream.Finish();
    ASSERT_TRUE(status.ok()) << status;
  });
}

// Each side writes more than credit and pipes hold before it reads.
class FullPipesTest : public SmallPipesTest {
 protected:
  FullPipesTest() : SmallPipesTest(WriteMuch) {}

  static absl::Status WriteMuch(ServerContext&, ServerReaderWriter<Item, Item>& stream) {
    std::thread writing([&] {
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream.Write(Large()));
    });
    int read = 0;
    for (Item item; stream.Read(&item);) ++read;
    writing.join();
    EXPECT_EQ(read, 100);
    return absl::OkStatus();
  }
};

TEST_F(FullPipesTest, TwoFullDirectionsDrain) {
  ClientReaderWriter<Item, Item> stream = stub_->Chat();
  std::thread writing([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream.Write(Large()));
    EXPECT_TRUE(stream.WritesDone());
  });
  int read = 0;
  for (Item item; stream.Read(&item);) ++read;
  writing.join();
  EXPECT_EQ(read, 100);
  EXPECT_TRUE(stream.Finish().ok());
}

}  // namespace
}  // namespace ferry::test
