// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/worker_pool.h"

#include <utility>

#include "ferry/transport/internal/thread.h"

namespace ferry::internal {

WorkerPool::~WorkerPool() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    threads = std::move(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

bool WorkerPool::TryRun(std::shared_ptr<Task> task) {
  MutexLock lock(mutex_);
  if (idle_ <= tasks_.size() && !StartThread()) return false;
  tasks_.push_back(std::move(task));
  changed_.NotifyOne();
  return true;
}

bool WorkerPool::StartThread() {
  if (threads_.size() >= max_threads_ || stopping_) return false;
  absl::StatusOr<std::thread> thread = internal::StartThread([this] { Work(); });
  if (!thread.ok()) return false;
  threads_.push_back(*std::move(thread));
  ++idle_;
  return true;
}

void WorkerPool::Work() {
  MutexLock lock(mutex_);
  for (;;) {
    while (tasks_.empty() && !stopping_) changed_.Wait(mutex_);
    if (tasks_.empty()) return;
    std::shared_ptr<Task> task = std::move(tasks_.front());
    tasks_.pop_front();
    --idle_;
    {
      MutexUnlock unlock(mutex_);
      task->Run();
      task.reset();
    }
    ++idle_;
  }
}

}  // namespace ferry::internal
