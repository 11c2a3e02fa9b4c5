// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Points in time to wait until, on the monotonic clock: a changed wall clock neither
// shortens nor lengthens a wait.

#ifndef FERRY_TRANSPORT_DEADLINE_H_
#define FERRY_TRANSPORT_DEADLINE_H_

#include <chrono>

#include "absl/time/time.h"

namespace ferry {

using Deadline = std::chrono::steady_clock::time_point;

inline constexpr Deadline kNoDeadline = Deadline::max();

// `timeout` from now; kNoDeadline if that is beyond what the clock can say.
inline Deadline DeadlineAfter(absl::Duration timeout) {
  if (timeout > absl::Hours(24 * 365)) return kNoDeadline;
  return std::chrono::steady_clock::now() +
         absl::ToChronoNanoseconds(timeout > absl::ZeroDuration() ? timeout : absl::ZeroDuration());
}

inline bool HasPassed(Deadline deadline) {
  return deadline != kNoDeadline && std::chrono::steady_clock::now() >= deadline;
}

}  // namespace ferry

#endif  // FERRY_TRANSPORT_DEADLINE_H_
