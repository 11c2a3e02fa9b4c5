// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/aside.h"

namespace ferry::internal {

bool Aside::Ask() {
  Deadline now = std::chrono::steady_clock::now();
  bool is_soon = now - last_asked_.exchange(now, kRelaxed) < kSoon;
  return is_soon && !wanted_.exchange(true);
}

Aside::Stay Aside::Begin() {
  MutexLock lock(mutex_);
  recalled_.store(false);
  wants_end_.store(false);
  taken_.store(true);
  wanted_.store(false);
  changed_.NotifyAll();  // who stood here is dismissed
  return ++stay_;
}

bool Aside::Await(Stay stay) {
  MutexLock lock(mutex_);
  for (;;) {
    uint64_t visits = visits_.load(kRelaxed);
    Deadline quiet = wants_end_.load() ? kNoDeadline : std::chrono::steady_clock::now() + kSoon;
    while (stay == stay_ && !recalled_.load() && !HasPassed(quiet)) changed_.Wait(mutex_, quiet);
    if (stay != stay_) return false;
    wants_end_.store(false);
    if (recalled_.exchange(false) || visits_.load(kRelaxed) == visits) return true;
  }
}

void Aside::End(Stay stay) {
  MutexLock lock(mutex_);
  if (stay == stay_) taken_.store(false);
}

void Aside::Dismiss() {
  if (!taken_.load()) return;
  MutexLock lock(mutex_);
  ++stay_;
  taken_.store(false);
  changed_.NotifyAll();
}

void Aside::Wake() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

}  // namespace ferry::internal
