// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The parts that decide which thread runs a handler, one by one.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/sole_lane.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/inproc_transport.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

using internal::CondVar;
using internal::MethodPace;
using internal::Mutex;
using internal::MutexLock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(MethodPaceTest, AMethodIsSlowUntilItWasQuickForAWhile) {
  MethodPace pace;
  EXPECT_FALSE(pace.is_slow());
  pace.WasSlow();
  for (int i = 0; i < 63; ++i) pace.Took(microseconds(1));
  EXPECT_TRUE(pace.is_slow());
  pace.Took(milliseconds(1));
  for (int i = 0; i < 63; ++i) pace.Took(microseconds(1));
  EXPECT_TRUE(pace.is_slow());
  pace.Took(microseconds(1));
  EXPECT_FALSE(pace.is_slow());
}

TEST(LeaderRoleTest, APlaceIsTakenFromOneHandlerOnly) {
  internal::LeaderRole role;
  using Role = internal::LeaderRole;
  EXPECT_FALSE(role.TryTake(Role::kFirstTerm).has_value()) << "its leader is in no handler";
  Role::Term first = role.EnterHandler(Role::kFirstTerm);
  Role::Word in_first = role.word();
  EXPECT_TRUE(role.LeaveHandler(first));
  EXPECT_FALSE(role.TryTake(in_first).has_value()) << "its leader is back";
  Role::Term second = role.EnterHandler(first);
  EXPECT_FALSE(role.TryTake(in_first).has_value()) << "it is in the next handler";
  EXPECT_TRUE(role.TryTake(role.word()).has_value());
  EXPECT_FALSE(role.LeaveHandler(second));
}

TEST(WorkerPoolTest, ATaskWaitsOnlyOnce) {
  struct Counter final : internal::WorkerPool::Task {
    void Run() override { ++runs; }
    std::atomic<int> runs{0};
  };
  internal::WorkerPool pool(0);
  auto task = std::make_shared<Counter>(), other = std::make_shared<Counter>();
  for (int i = 0; i < 1000; ++i) {
    pool.Run(task);
    pool.Run(other);
  }
  pool.WorkUntil([] { return true; });
  EXPECT_EQ(task->runs, 1);
  EXPECT_EQ(other->runs, 1);
  pool.Run(task);
  pool.WorkUntil([] { return true; });
  EXPECT_EQ(task->runs, 2);
}

// Handlers are numbered as Supervised says.
class Supervisee final : public internal::Supervised {
 public:
  uint64_t Handling() const override { return handling_.load(); }
  void HandlerIsSlow(uint64_t handler) override {
    MutexLock lock(mutex_);
    ++reports_;
    slow_ = handler;
    changed_.NotifyAll();
  }

  void HandlersAreQuick() override { calm_.store(true); }

  void AwaitCalm() const {
    while (!calm_.load()) std::this_thread::yield();
  }
  void set_handling(uint64_t handler) { handling_.store(handler); }
  void AwaitSlow(uint64_t handler) {
    MutexLock lock(mutex_);
    while (slow_ != handler) changed_.Wait(mutex_);
  }
  int reports() {
    MutexLock lock(mutex_);
    return reports_;
  }

 private:
  std::atomic<uint64_t> handling_{0};
  std::atomic<bool> calm_{false};
  Mutex mutex_;
  CondVar changed_;
  uint64_t slow_ ABSL_GUARDED_BY(mutex_) = 0;
  int reports_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(SupervisorTest, FindsEverySlowHandlerOnce) {
  auto supervisee = std::make_shared<Supervisee>();
  internal::Supervisor supervisor;
  supervisor.Add(supervisee);
  for (uint64_t handler = 1; handler < 100; handler += 2) {
    supervisee->set_handling(handler);
    supervisor.Notice();
    supervisee->AwaitSlow(handler);
  }
  EXPECT_EQ(supervisee->reports(), 50);
  supervisor.Remove(*supervisee);
  EXPECT_EQ(supervisee.use_count(), 1);
}

TEST(SupervisorTest, AHandlerThatBeginsAsItFallsAsleepIsFound) {
  auto supervisee = std::make_shared<Supervisee>();
  internal::Supervisor supervisor;
  supervisor.Add(supervisee);
  std::minstd_rand random(1);
  for (uint64_t handler = 1; handler < 400; handler += 2) {
    supervisee->set_handling(handler);
    supervisor.Notice();
    supervisee->AwaitSlow(handler);
    // It sleeps after 5 quiet ticks of 2 ms and a bit.
    std::this_thread::sleep_for(microseconds(8000 + random() % 4000));
  }
}

TEST(SupervisorTest, SaysWhenNoneHasBeenSlowForAWhile) {
  auto supervisee = std::make_shared<Supervisee>();
  internal::Supervisor supervisor;
  supervisor.Add(supervisee);
  supervisee->set_handling(1);
  supervisor.Notice();
  supervisee->AwaitSlow(1);
  supervisee->AwaitCalm();
}

// A lane that no supervisor looks at, on one connection.
class UnsupervisedLaneTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(registry_.Add(service_).ok());
    auto [ours, theirs] = CreateInprocPair("lane_test");
    session_ = std::make_shared<internal::Session>(std::move(theirs), 1000000, registry_);
    lane_ = internal::SoleLane::Create(pool_, supervisor_, session_);
    leader_ = std::thread([this] {
      lane_->LeadFirst();
      pool_->WorkUntil([this] { return lane_->ended(); });
    });
    channel_.emplace(*internal::OpenChannel(std::move(ours), {}, kNoDeadline));
  }
  void TearDown() override {
    service_.LetGo();
    session_->connection().Close(absl::CancelledError("the test is over"));
    leader_.join();
    pool_->Stop();
    EXPECT_TRUE(lane_->ended());
  }

  EchoImpl service_;
  internal::ServiceRegistry registry_;
  const std::shared_ptr<internal::WorkerPool> pool_ = std::make_shared<internal::WorkerPool>(3);
  internal::Supervisor supervisor_;
  std::shared_ptr<internal::Session> session_;
  std::shared_ptr<internal::SoleLane> lane_;
  std::thread leader_;
  std::optional<Channel> channel_;
};

TEST_F(UnsupervisedLaneTest, ASlowMethodsHandlerRunsBesideTheReader) {
  MethodPace& pace = *registry_.Find(MethodId("ferry.test.Echo/Hold"))->pace;
  EchoStub stub(*channel_);
  pace.WasSlow();
  std::thread held([&] { EXPECT_TRUE(EchoStub(*channel_).Hold(Empty()).ok()); });
  service_.AwaitBlocked(1);
  EXPECT_TRUE(stub.Echo(EchoRequest()).ok());
  service_.LetGo();
  held.join();
  int runs = 0;
  for (; pace.is_slow(); ++runs) EXPECT_TRUE(stub.Hold(Empty()).ok());
  EXPECT_GE(runs, 62);
}

TEST_F(UnsupervisedLaneTest, RequestsThatArrivedTogetherAreServedAfterAHandOver) {
  std::vector<std::thread> calls;
  for (int i = 0; i < 3; ++i) {
    calls.emplace_back([&] { EXPECT_TRUE(EchoStub(*channel_).Block(Empty()).ok()); });
  }
  for (int i = 0; i < 20; ++i) {
    calls.emplace_back([&] { EXPECT_TRUE(EchoStub(*channel_).Echo(EchoRequest()).ok()); });
  }
  service_.AwaitBlocked(3);
  EXPECT_TRUE(EchoStub(*channel_).Release(Empty()).ok());
  for (std::thread& call : calls) call.join();
}

}  // namespace
}  // namespace ferry::test
