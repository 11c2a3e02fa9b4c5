// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_BACKOFF_H_
#define FERRY_RPC_INTERNAL_BACKOFF_H_

#include <algorithm>
#include <random>

#include "absl/time/time.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

// How long to leave a server alone after each failure in a row: twice as long as the time
// before, give or take a fifth, so that those who failed together do not come back together.
// Thread contract: thread-compatible.
class Backoff {
 public:
  explicit Backoff(absl::Duration most) : most_(most) {}

  // Answers the pause, which begins now.
  absl::Duration Fail() {
    pause_ = std::min(most_, pause_ == absl::ZeroDuration() ? kFirst : 2 * pause_);
    absl::Duration pause = pause_ * std::uniform_real_distribution<>(0.8, 1.2)(random_);
    until_ = DeadlineAfter(pause);
    return pause;
  }

  void Succeed() {
    pause_ = absl::ZeroDuration();
    until_ = Deadline::min();
  }

  Deadline until() const { return until_; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(10);

  const absl::Duration most_;
  absl::Duration pause_;
  Deadline until_ = Deadline::min();
  std::minstd_rand random_{std::random_device()()};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_BACKOFF_H_
