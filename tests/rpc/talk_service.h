// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_TALK_SERVICE_H_
#define FERRY_TESTS_RPC_TALK_SERVICE_H_

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "ferry/transport/internal/mutex.h"
#include "talk.ferry.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {

// Something that happens once, and who waits for it. Thread contract: thread-safe.
class Signal {
 public:
  void Set() {
    internal::MutexLock lock(mutex_);
    is_set_ = true;
    changed_.NotifyAll();
  }
  void Await() {
    internal::MutexLock lock(mutex_);
    while (!is_set_) changed_.Wait(mutex_);
  }
  bool is_set() {
    internal::MutexLock lock(mutex_);
    return is_set_;
  }

 private:
  internal::Mutex mutex_;
  internal::CondVar changed_;
  bool is_set_ ABSL_GUARDED_BY(mutex_) = false;
};

// Each test says what the handlers do, before it calls.
class TalkImpl final : public TalkService {
 public:
  std::function<absl::Status(ServerContext&, const Item&, Item&)> say;
  std::function<absl::Status(ServerContext&, const Item&, ServerWriter<Item>&)> count;
  std::function<absl::Status(ServerContext&, ServerReader<Item>&, Item&)> sum;
  std::function<absl::Status(ServerContext&, ServerReaderWriter<Item, Item>&)> chat;
  std::function<absl::Status(ServerContext&, const Item&)> note;

 private:
  absl::Status Say(ServerContext& context, const Item& request, Item& reply) override {
    return say ? say(context, request, reply) : TalkService::Say(context, request, reply);
  }
  absl::Status Count(ServerContext& context, const Item& request,
                     ServerWriter<Item>& replies) override {
    return count ? count(context, request, replies) : TalkService::Count(context, request, replies);
  }
  absl::Status Sum(ServerContext& context, ServerReader<Item>& requests, Item& reply) override {
    return sum ? sum(context, requests, reply) : TalkService::Sum(context, requests, reply);
  }
  absl::Status Chat(ServerContext& context, ServerReaderWriter<Item, Item>& stream) override {
    return chat ? chat(context, stream) : TalkService::Chat(context, stream);
  }
  absl::Status Note(ServerContext& context, const Item& request) override {
    return note ? note(context, request) : TalkService::Note(context, request);
  }
  absl::Status Strict(ServerContext&, ServerReaderWriter<StrictItem, StrictItem>& stream) override {
    for (StrictItem item; stream.Read(&item);) {
      if (item.name() == "incomplete") item.clear_name();
      if (!stream.Write(item)) return absl::AbortedError("could not write");
    }
    return absl::OkStatus();
  }
};

// A server of one TalkImpl, and a channel to it, over each scheme.
class TalkTest : public testing::TestWithParam<const char*> {
 protected:
  ~TalkTest() override { Stop(); }

  void Start(const ServerOptions& server_options = {}, const ChannelOptions& options = {}) {
    StartServer(server_options);
    channel_.emplace(ConnectWhenServed(address_, options));
    stub_.emplace(*channel_);
  }
  void StartServer(const ServerOptions& options) {
    server_.emplace(options);
    server_->Register(service_);
    ASSERT_TRUE(server_->Listen(address_).ok());
    thread_ = std::thread([this] { served_ = server_->Serve(); });
  }
  void Shutdown(absl::Duration grace) { server_->Shutdown(grace); }
  void Stop() {
    if (!thread_.joinable()) return;
    server_->Shutdown();
    thread_.join();
    EXPECT_TRUE(served_.ok()) << served_;
  }

  // What is called next finds no connection.
  void StopAndNotice() {
    Stop();
    EXPECT_EQ(stub_->Say(Item()).status().code(), absl::StatusCode::kUnavailable);
  }

  static Item Numbered(int number) {
    Item item;
    item.set_number(number);
    return item;
  }
  static Item Sized(size_t size) {
    Item item;
    item.set_body(std::string(size, 'x'));
    return item;
  }

  TalkImpl service_;
  TempFolder folder_;
  std::string address_ = std::string(GetParam()) + ":" +
                         (std::string(GetParam()) == "inproc" ? "talk" : folder_.path() + "/talk");
  std::optional<Channel> channel_;
  std::optional<TalkStub> stub_;

 private:
  std::optional<Server> server_;
  std::thread thread_;
  absl::Status served_;
};

inline constexpr const char* kTalkSchemes[] = {"inproc", "unix", "named-pipe", "shm"};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_TALK_SERVICE_H_
