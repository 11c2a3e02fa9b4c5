// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Handlers on threads of the program's own.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "ferry/rpc/internal/reused_queue.h"
#include "tests/rpc/async_test.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

// Runs what it is given on so many threads. Thread contract: thread-safe.
class Executor {
 public:
  explicit Executor(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~Executor() {
    {
      internal::MutexLock lock(mutex_);
      stops_ = true;
      changed_.NotifyAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  void Add(absl::AnyInvocable<void()> run) {
    internal::MutexLock lock(mutex_);
    queue_.Push(std::move(run));
    changed_.NotifyOne();
  }

  static bool IsOnThisThread() { return is_here_; }

 private:
  void Work() {
    is_here_ = true;
    for (;;) {
      absl::AnyInvocable<void()> run;
      {
        internal::MutexLock lock(mutex_);
        while (queue_.empty() && !stops_) changed_.Wait(mutex_);
        if (queue_.empty()) return;
        run = queue_.Pop();
      }
      run();
    }
  }

  static inline thread_local bool is_here_ = false;
  internal::Mutex mutex_;
  internal::CondVar changed_;
  internal::ReusedQueue<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

class ExecutorTest : public AsyncTest {
 protected:
  ~ExecutorTest() override {
    DropChannel();
    Stop();
  }
  void StartOn(Executor& executor, const ChannelOptions& options = {}) {
    ServerOptions server_options;
    server_options.max_threads = 1;
    server_options.executor = [&](absl::AnyInvocable<void()> run) { executor.Add(std::move(run)); };
    Start(server_options, options);
  }
};

INSTANTIATE_TEST_SUITE_P(All, ExecutorTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(ExecutorTest, HandlersOfEveryShapeRunThere) {
  auto here = [] { EXPECT_TRUE(Executor::IsOnThisThread()); };
  Signal noted;
  service_.say = [&](ServerContext&, const Item& request, Item& reply) {
    here();
    reply = request;
    return absl::OkStatus();
  };
  service_.count = [&](ServerContext&, const Item&, ServerWriter<Item>& replies) {
    here();
    for (int i = 0; i < 200; ++i) replies.Write(Sized(5000));
    return absl::OkStatus();
  };
  service_.sum = [&](ServerContext&, ServerReader<Item>& requests, Item& reply) {
    here();
    for (Item item; requests.Read(&item);) reply.set_number(reply.number() + 1);
    return absl::OkStatus();
  };
  service_.note = [&](ServerContext&, const Item&) {
    here();
    noted.Set();
    return absl::OkStatus();
  };
  Executor executor(2);
  StartOn(executor);
  absl::StatusOr<Item> reply = stub_->Say(Numbered(3));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->number(), 3);
  ClientReader<Item> reader = stub_->Count(Item());
  int read = 0;
  for (Item item; reader.Read(&item);) ++read;
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(read, 200);
  Item sum;
  ClientWriter<Item> writer = stub_->Sum(&sum);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(writer.Write(Sized(5000)));
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(sum.number(), 200);
  EXPECT_TRUE(stub_->Note(Item()).ok());
  noted.Await();
}

TEST_P(ExecutorTest, AHandlerThatBlocksHoldsUpNobodyElse) {
  Signal go;
  service_.say = [&](ServerContext&, const Item& request, Item&) {
    if (request.number() == 0) go.Await();
    return absl::OkStatus();
  };
  Executor executor(2);
  StartOn(executor);
  std::thread held([&] { EXPECT_TRUE(stub_->Say(Numbered(0)).ok()); });
  for (int i = 1; i < 200; ++i) EXPECT_TRUE(stub_->Say(Numbered(i)).ok());
  go.Set();
  held.join();
}

TEST_P(ExecutorTest, ManyCallsRunAtOnce) {
  service_.say = SendBack;
  Executor executor(3);
  StartOn(executor);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        absl::StatusOr<Item> reply = stub_->Say(Numbered(1000 * t + i));
        ASSERT_TRUE(reply.ok()) << reply.status();
        EXPECT_EQ(reply->number(), 1000 * t + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ExecutorTest, ALimitOfRequestsCountsEachOnce) {
  service_.say = SendBack;
  Executor executor(1);
  ServerOptions options;
  options.max_requests = 2;  // one has been answered, and is just about to return
  options.executor = [&](absl::AnyInvocable<void()> run) { executor.Add(std::move(run)); };
  Start(options);
  for (int i = 0; i < 100; ++i) {
    absl::StatusOr<Item> reply = stub_->Say(Numbered(i));
    ASSERT_TRUE(reply.ok()) << reply.status();
  }
}

TEST_P(ExecutorTest, ForWhatItDropsCreditComesBack) {
  ServerOptions options;
  options.executor = [](absl::AnyInvocable<void()>) {};
  Start(options);
  for (int i = 0; i < 100; ++i) {
    CallOptions call;
    call.timeout = absl::Seconds(20);
    ASSERT_EQ(stub_->Say(Sized(10'000), call).status().code(), StatusCode::kUnavailable);
  }
}

TEST_P(ExecutorTest, WhatItDropsFails) {
  ServerOptions options;
  options.executor = [](absl::AnyInvocable<void()>) {};
  Start(options);
  EXPECT_EQ(stub_->Say(Item()).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(stub_->Chat().Finish().code(), StatusCode::kUnavailable);
}

TEST_P(ExecutorTest, AShutdownWaitsForWhatRunsAndNotForWhatDoesNot) {
  Signal began, go;
  service_.say = [&](ServerContext&, const Item&, Item&) {
    began.Set();
    go.Await();
    return absl::OkStatus();
  };
  Executor executor(1);
  StartOn(executor);
  std::thread first([&] { EXPECT_TRUE(stub_->Say(Numbered(0)).ok()); });
  began.Await();
  std::thread second(
      [&] { EXPECT_EQ(stub_->Say(Numbered(1)).status().code(), StatusCode::kUnavailable); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  Shutdown(absl::InfiniteDuration());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  go.Set();
  first.join();
  second.join();
}

}  // namespace
}  // namespace ferry::test
