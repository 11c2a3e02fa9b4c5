// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/shutdown_request.h"

#include <algorithm>

namespace ferry::internal {

static_assert(std::atomic<int64_t>::is_always_lock_free, "a signal handler stores it");

void ShutdownRequest::Ask(absl::Duration grace) {
  int64_t ticks = DeadlineAfter(grace).time_since_epoch().count();
  int64_t asked = std::min(ticks, kNotAsked - 1);  // which is for ever
  int64_t before = deadline_.load();
  while (asked < before && !deadline_.compare_exchange_weak(before, asked)) {
  }
  changed_.Set();
}

Deadline ShutdownRequest::deadline() const {
  int64_t ticks = deadline_.load();
  return ticks == kNotAsked - 1 ? kNoDeadline : Deadline(Deadline::duration(ticks));
}

void ShutdownRequest::Wait(Deadline until) {
  changed_.Wait(until);
  changed_.Clear();
}

}  // namespace ferry::internal
