// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_STRESS_CALLS_H_
#define FERRY_TESTS_RPC_STRESS_CALLS_H_

#include <cstdint>
#include <memory>
#include <random>

#include "tests/rpc/stress_service.h"
#include "tests/rpc/stress_watch.h"

namespace ferry::test {

// Makes one random call after the other, and expects each to end once and as it may. Thread
// contract: one thread; what is given by reference outlives it, and Later what it was given.
class StressCaller {
 public:
  // `may_lose_peer`: it is killed now and then. `has_threads`: handlers that wait for their
  // cancellation leave it one to read that with.
  struct About {
    bool may_lose_peer;
    bool has_threads;
  };
  StressCaller(uint64_t seed, About peer, Later& later, Activity& activity)
      : random_(seed), peer_(peer), later_(later), activity_(activity) {}

  void CallOnce(const Channel& channel);
  int64_t calls() const { return calls_; }

 private:
  // How one call is to go.
  struct Plan;

  Plan MakePlan();
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  uint32_t UpTo(uint32_t most) { return static_cast<uint32_t>(random_() % (uint64_t{most} + 1)); }
  // Most are small, some are large.
  uint32_t Size();
  absl::Duration Soon();

  void CallUnary(const StressStub& stub, Plan& plan);
  void Send(const StressStub& stub, Plan& plan);
  void ReadAll(const StressStub& stub, Plan& plan);
  void WriteAll(const StressStub& stub, Plan& plan);
  void Converse(const StressStub& stub, Plan& plan);
  template <typename Held>
  void CancelLater(const Plan& plan, const std::shared_ptr<Held>& held);
  Piece Message(const Plan& plan, uint32_t index) const;

  void Check(const Plan& plan, const absl::Status& status) const;

  std::mt19937_64 random_;
  const About peer_;
  Later& later_;
  Activity& activity_;
  int64_t calls_ = 0;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_STRESS_CALLS_H_
