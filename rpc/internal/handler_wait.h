// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_HANDLER_WAIT_H_
#define FERRY_RPC_INTERNAL_HANDLER_WAIT_H_

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// A thread that waits for something to change in a call, on a connection that serves: it sleeps
// here, or reads. Meanwhile it runs the handlers that are nested in that call.
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

  bool is_on_this_thread() const { return thread_ == std::this_thread::get_id(); }

  // For the waiting thread, which runs it before it waits on, and when it waits no more.
  void AddNested(std::shared_ptr<QueuedRequest> request) {
    MutexLock lock(mutex_);
    nested_.push_back(std::move(request));
    has_nested_.store(true, std::memory_order_relaxed);
    wake_.NotifyOne();
  }
  // Changed under the lock; without it, a hint.
  bool has_nested() const { return has_nested_.load(std::memory_order_relaxed); }
  // Null when there is none.
  std::shared_ptr<QueuedRequest> TakeNested() {
    if (!has_nested()) return nullptr;
    MutexLock lock(mutex_);
    std::shared_ptr<QueuedRequest> first = std::move(nested_.front());
    nested_.erase(nested_.begin());
    has_nested_.store(!nested_.empty(), std::memory_order_relaxed);
    return first;
  }

  // Until it is told, there is a nested request, or the deadline.
  void Sleep(Deadline deadline) {
    MutexLock lock(mutex_);
    while (!told() && nested_.empty() && !HasPassed(deadline)) wake_.Wait(mutex_, deadline);
  }

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
  std::atomic<bool> told_{false};
  std::atomic<bool> has_nested_{false};

  Mutex mutex_;
  CondVar wake_;
  std::vector<std::shared_ptr<QueuedRequest>> nested_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_HANDLER_WAIT_H_
