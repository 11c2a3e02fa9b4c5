// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// std::mutex and std::condition_variable with clang's thread annotations.
//
// Not absl::Mutex: a distribution's Abseil is built without ThreadSanitizer, which then
// sees none of its locks and reports every guarded field as a race.

#ifndef FERRY_TRANSPORT_INTERNAL_MUTEX_H_
#define FERRY_TRANSPORT_INTERNAL_MUTEX_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "ferry/transport/deadline.h"

// Abseil has no name for this one.
#if defined(__clang__)
#define FERRY_RELEASES(mutex) __attribute__((release_capability(mutex)))
#else
#define FERRY_RELEASES(mutex)
#endif

namespace ferry::internal {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Lets go of a held lock for a scope: for the one call in the middle that may block.
// (To clang, the destructor's annotation undoes what the constructor did.)
class ABSL_SCOPED_LOCKABLE MutexUnlock {
 public:
  explicit MutexUnlock(Mutex& mutex) FERRY_RELEASES(mutex) : mutex_(mutex) { mutex_.Unlock(); }
  ~MutexUnlock() ABSL_UNLOCK_FUNCTION() { mutex_.Lock(); }
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // May wake for no reason: call it in a loop that tests what it waits for.
  void Wait(Mutex& mutex, Deadline deadline = kNoDeadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    if (deadline == kNoDeadline) {
      condition_.wait(lock);
    } else {
      condition_.wait_until(lock, deadline);
    }
    lock.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_MUTEX_H_
