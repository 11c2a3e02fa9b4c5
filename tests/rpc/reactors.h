// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_REACTORS_H_
#define FERRY_TESTS_RPC_REACTORS_H_

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ferry/rpc/client_reactor.h"
#include "ferry/rpc/server_reactor.h"
#include "ferry/transport/internal/mutex.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {

// How a call has ended, for a thread that waits for it; fails the test if it ends twice. Thread
// contract: thread-safe.
class Outcome {
 public:
  void Set(absl::Status status) {
    EXPECT_FALSE(done_.is_set()) << "ends twice";
    status_ = std::move(status);
    done_.Set();
  }
  const absl::Status& Await() {
    done_.Await();
    return status_;
  }
  bool is_set() { return done_.is_set(); }

 private:
  absl::Status status_;
  Signal done_;
};

// Reactors of the client, that do what a test says, and remember. Thread contract: the callbacks'.
class Reader final : public ClientReadReactor<Item> {
 public:
  void OnRead(const Item& item) override {
    numbers.push_back(item.number());
    ++reads;
    if (on_read) on_read(item);
  }
  void OnDone(const absl::Status& status) override { outcome.Set(status); }

  std::function<void(const Item&)> on_read;
  std::vector<int> numbers;
  std::atomic<int> reads{0};
  Outcome outcome;
};

class Writer final : public ClientWriteReactor<Item, Item> {
 public:
  void OnWritable() override {
    if (on_writable) on_writable();
  }
  void OnDone(const absl::Status& status) override { outcome.Set(status); }

  std::function<void()> on_writable;
  Outcome outcome;
};

class Chatter final : public ClientBidiReactor<Item, Item> {
 public:
  void OnRead(const Item& item) override {
    numbers.push_back(item.number());
    if (on_read) on_read(item);
  }
  void OnWritable() override {
    if (on_writable) on_writable();
  }
  void OnDone(const absl::Status& status) override {
    if (on_done) on_done();
    outcome.Set(status);
  }

  std::function<void(const Item&)> on_read;
  std::function<void()> on_writable;
  std::function<void()> on_done;
  std::vector<int> numbers;
  Outcome outcome;
};

// Of the server: sends back what it reads, all of it, however slowly that is read.
class EchoReactor final : public ServerBidiReactor<Item, Item> {
 public:
  explicit EchoReactor(std::atomic<int>& living) : living_(living) { ++living_; }

  void OnRead(const Item& item) override {
    if (!Write(item)) {
      held_ = item;
      PauseReads();
    }
  }
  void OnWritable() override {
    EXPECT_TRUE(Write(held_));
    ResumeReads();
  }
  void OnReadsDone() override { Finish(); }
  void OnDone() override {
    --living_;
    delete this;
  }

 private:
  std::atomic<int>& living_;
  Item held_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_REACTORS_H_
