// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_KEEPALIVE_H_
#define FERRY_RPC_INTERNAL_KEEPALIVE_H_

#include "absl/time/time.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

// When to ask a silent peer whether it is alive, and when to believe that it is not.
// Thread contract: thread-compatible; owned by the thread that reads.
class Keepalive {
 public:
  // Infinite: never.
  explicit Keepalive(absl::Duration interval) : interval_(interval) {}

  // Something has arrived.
  void Heard() {
    due_ = kNoDeadline;
    asked_ = false;
  }

  // Until when a sleep may last.
  Deadline Due() {
    if (due_ == kNoDeadline && interval_ != absl::InfiniteDuration()) {
      due_ = DeadlineAfter(interval_);
    }
    return due_;
  }

  enum class Step { kNone, kAsk, kGiveUp };

  // When nothing has arrived, nor lies there unread. What nobody read for long may only be
  // due, and then costs a ping.
  Step Next() {
    if (due_ == kNoDeadline || !HasPassed(due_)) return Step::kNone;
    due_ = kNoDeadline;
    if (asked_) return Step::kGiveUp;
    asked_ = true;
    return Step::kAsk;
  }

  absl::Duration interval() const { return interval_; }

 private:
  const absl::Duration interval_;
  Deadline due_ = kNoDeadline;
  bool asked_ = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_KEEPALIVE_H_
