// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_HANDLER_WAIT_H_
#define FERRY_RPC_INTERNAL_HANDLER_WAIT_H_

#include <atomic>

#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// A handler that waits for something to change in its call: its thread sleeps here, or reads.
// Thread contract: thread-safe; its lock is taken behind every other.
class HandlerWait {
 public:
  // There may be something to see. The release pairs with the acquire in told.
  void Tell() {
    MutexLock lock(mutex_);
    told_.store(true, std::memory_order_release);
    wake_.NotifyOne();
  }
  // By the waiting thread itself.
  void Note() { told_.store(true, std::memory_order_relaxed); }

  bool told() const { return told_.load(std::memory_order_acquire); }
  void Reset() { told_.store(false, std::memory_order_relaxed); }

  // Until it is told, or the deadline.
  void Sleep(Deadline deadline) {
    MutexLock lock(mutex_);
    while (!told() && !HasPassed(deadline)) wake_.Wait(mutex_, deadline);
  }

 private:
  Mutex mutex_;
  CondVar wake_;
  std::atomic<bool> told_{false};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_HANDLER_WAIT_H_
