// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALL_MEMORY_H_
#define FERRY_RPC_INTERNAL_CALL_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <new>

#include "absl/base/thread_annotations.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// Memory of one size, kept for the next who needs it: as much as was in use at once. Thread
// contract: thread-safe.
class CallMemory {
 public:
  CallMemory() = default;
  ~CallMemory() {
    ::operator delete(latest_.load(std::memory_order_relaxed));
    while (free_ != nullptr) {
      Free* free = free_;
      free_ = free->next;
      ::operator delete(free);
    }
  }
  CallMemory(const CallMemory&) = delete;
  CallMemory& operator=(const CallMemory&) = delete;

  // `size` is always the same.
  void* Take(size_t size) {
    // The latest takes no lock: a callback that calls gives its own back just before.
    if (void* latest = latest_.exchange(nullptr, std::memory_order_acquire)) return latest;
    {
      MutexLock lock(mutex_);
      if (Free* free = free_) {
        free_ = free->next;
        return free;
      }
    }
    return ::operator new(size);
  }
  void Give(void* memory) {
    void* none = nullptr;
    if (latest_.compare_exchange_strong(none, memory, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      return;
    }
    MutexLock lock(mutex_);
    free_ = new (memory) Free{free_};
  }

 private:
  struct Free {
    Free* next;
  };

  // The release in Give pairs with the acquire in Take: of who has used it before.
  std::atomic<void*> latest_{nullptr};

  Mutex mutex_;
  Free* free_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALL_MEMORY_H_
