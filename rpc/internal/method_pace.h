// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_METHOD_PACE_H_
#define FERRY_RPC_INTERNAL_METHOD_PACE_H_

#include <atomic>
#include <chrono>

namespace ferry::internal {

// Whether a method's handlers take long, as learned from those that ran. Thread contract:
// thread-safe; relaxed, since it decides how soon a call runs, not whether.
class MethodPace {
 public:
  bool is_slow() const { return quick_runs_to_go_.load(std::memory_order_relaxed) > 0; }

  void WasSlow() { quick_runs_to_go_.store(kQuickRuns, std::memory_order_relaxed); }

  // After a run of a method that is slow.
  void Took(std::chrono::steady_clock::duration time) {
    if (time > kQuick) {
      WasSlow();
    } else {
      quick_runs_to_go_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::chrono::microseconds kQuick{500};
  // So many quick runs after a slow one, a method is quick.
  static constexpr int kQuickRuns = 64;

  std::atomic<int> quick_runs_to_go_{0};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_METHOD_PACE_H_
