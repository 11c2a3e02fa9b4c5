// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/cancellation.h"

#include <utility>

#include "ferry/rpc/internal/cancel_registration.h"

namespace ferry {

using internal::CancelTarget;
using internal::MutexLock;

// Under the lock, so that a call which ends meanwhile waits for it to be told.
void Cancellation::Cancel() {
  MutexLock lock(mutex_);
  if (cancelled_.exchange(true)) return;
  for (CancelTarget* target = first_; target != nullptr; target = target->next_) {
    target->OnCancel();
  }
}

namespace internal {

bool CancelRegistration::Begin(Cancellation* cancellation, CancelTarget& target) {
  if (cancellation == nullptr) return true;
  MutexLock lock(cancellation->mutex_);
  if (cancellation->cancelled_.load(std::memory_order_relaxed)) return false;
  target.next_ = cancellation->first_;
  target.previous_ = nullptr;
  if (target.next_ != nullptr) target.next_->previous_ = &target;
  cancellation->first_ = &target;
  cancellation_ = cancellation;
  target_ = &target;
  return true;
}

void CancelRegistration::End() {
  if (cancellation_ == nullptr) return;
  Cancellation& cancellation = *std::exchange(cancellation_, nullptr);
  MutexLock lock(cancellation.mutex_);
  CancelTarget* previous = target_->previous_;
  CancelTarget* next = target_->next_;
  if (next != nullptr) next->previous_ = previous;
  if (previous != nullptr) {
    previous->next_ = next;
  } else {
    cancellation.first_ = next;
  }
}

}  // namespace internal
}  // namespace ferry
