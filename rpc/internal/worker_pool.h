// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_WORKER_POOL_H_
#define FERRY_RPC_INTERNAL_WORKER_POOL_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ferry/rpc/internal/reused_queue.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// Spare threads, started when they are first needed and kept. Thread contract:
// thread-safe.
class WorkerPool {
 public:
  class Task {
   public:
    virtual ~Task() = default;
    virtual void Run() = 0;
  };

  explicit WorkerPool(size_t max_threads) : max_threads_(max_threads) {}

  ~WorkerPool() { Stop(); }

  // Waits for every task that runs or waits; later ones are not run.
  void Stop();

  // Runs the task on a spare thread: soon, or, if the answer is false, when one is free again.
  // Once, if it waits for that already.
  bool Run(const std::shared_ptr<Task>& task);

  // The same; the answer: false, and nothing has happened, once it stops.
  bool RunUnlessStopped(const std::shared_ptr<Task>& task);

  // It runs a task of this pool.
  bool IsOnThisThread() const { return current_ == this; }

  // Makes the calling thread one of the pool until `done`, which is asked after each
  // task and each Wake. REQUIRES: `done` takes no lock that is held around a call here.
  void WorkUntil(const std::function<bool()>& done);
  void Wake();

 private:
  void Work(const std::function<bool()>& done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Add(const std::shared_ptr<Task>& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasThreadFor(size_t tasks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static inline thread_local const WorkerPool* current_ = nullptr;
  const size_t max_threads_;

  Mutex mutex_;
  CondVar changed_;
  ReusedQueue<std::shared_ptr<Task>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;  // threads without a task, started or starting
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_WORKER_POOL_H_
