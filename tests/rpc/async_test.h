// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_ASYNC_TEST_H_
#define FERRY_TESTS_RPC_ASYNC_TEST_H_

#include <atomic>
#include <thread>
#include <utility>

#include "ferry/rpc/channel.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {

// Counts down, and lets a thread wait for the end.
class Countdown {
 public:
  explicit Countdown(int count) : left_(count) {}
  void Tick() {
    if (--left_ == 0) done_.Set();
  }
  void Await() { done_.Await(); }

 private:
  std::atomic<int> left_;
  Signal done_;
};

inline absl::Status SendBack(ServerContext&, const Item& request, Item& reply) {
  reply = request;
  return absl::OkStatus();
}

inline absl::Status AwaitCancel(ServerContext& context, const Item&, Item&) {
  while (!context.IsCancelled()) std::this_thread::yield();
  return absl::OkStatus();
}

class AsyncTest : public TalkTest {
 protected:
  void StartAsync(ChannelOptions options = {}) {
    options.async = true;
    Start({}, options);
  }
  void DropChannel() {
    stub_.reset();
    channel_.reset();
  }
  ~AsyncTest() override { DropChannel(); }
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_ASYNC_TEST_H_
