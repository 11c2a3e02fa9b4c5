// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Cancellation: ends calls that other threads wait for.

#ifndef FERRY_RPC_CANCELLATION_H_
#define FERRY_RPC_CANCELLATION_H_

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry {

class Cancellation;

namespace internal {

class CancelRegistration;

// A call, as what cancels it sees it.
class CancelTarget {
 public:
  // Once, on the thread that cancels.
  virtual void OnCancel() = 0;

 protected:
  ~CancelTarget() = default;

 private:
  friend class CancelRegistration;
  friend class ferry::Cancellation;
  CancelTarget* next_ = nullptr;
  CancelTarget* previous_ = nullptr;
};

}  // namespace internal

//   ferry::Cancellation cancellation;
//   options.cancellation = &cancellation;   // of any number of calls
//   … on another thread: cancellation.Cancel();
//
// Outlives the calls that it is given to. Thread contract: thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // The calls that have it, and those that get it later, fail with CANCELLED, unless their
  // outcome is here already; the handlers are told. Once and for all.
  void Cancel();

  bool IsCancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  friend class internal::CancelRegistration;

  std::atomic<bool> cancelled_{false};  // changed under the lock; without it, a hint
  internal::Mutex mutex_;
  internal::CancelTarget* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace ferry

#endif  // FERRY_RPC_CANCELLATION_H_
