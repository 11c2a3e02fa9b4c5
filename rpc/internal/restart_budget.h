// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_RESTART_BUDGET_H_
#define FERRY_RPC_INTERNAL_RESTART_BUDGET_H_

#include <cstddef>
#include <deque>

#include "absl/time/time.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

// At most `limit` restarts within any `window`. Thread contract: thread-compatible.
class RestartBudget {
 public:
  RestartBudget(size_t limit, absl::Duration window) : limit_(limit), window_(window) {}

  // False when there is none left.
  bool TrySpend() {
    while (!free_again_.empty() && HasPassed(free_again_.front())) free_again_.pop_front();
    if (free_again_.size() >= limit_) return false;
    free_again_.push_back(DeadlineAfter(window_));
    return true;
  }

  // What was spent last was not used.
  void TakeBack() { free_again_.pop_back(); }

 private:
  const size_t limit_;
  const absl::Duration window_;
  std::deque<Deadline> free_again_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_RESTART_BUDGET_H_
