// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/worker_pool.h"

#include <algorithm>
#include <utility>

#include "ferry/transport/internal/thread.h"

namespace ferry::internal {

void WorkerPool::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    threads = std::move(threads_);
  }
  for (std::thread& thread : threads) thread.join();
  // Of a pool without threads; destroyed without the lock.
  ReusedQueue<std::shared_ptr<Task>> left;
  MutexLock lock(mutex_);
  std::swap(left, tasks_);
  MutexUnlock unlock(mutex_);
  left = {};
}

bool WorkerPool::Run(const std::shared_ptr<Task>& task) {
  MutexLock lock(mutex_);
  return !stopping_ && Add(task);
}

bool WorkerPool::RunUnlessStopped(const std::shared_ptr<Task>& task) {
  MutexLock lock(mutex_);
  if (stopping_) return false;
  Add(task);
  return true;
}

// Answers whether it runs soon.
bool WorkerPool::Add(const std::shared_ptr<Task>& task) {
  if (std::find(tasks_.begin(), tasks_.end(), task) == tasks_.end()) tasks_.Push(task);
  bool has_thread = HasThreadFor(tasks_.size());
  changed_.NotifyOne();
  return has_thread;
}

// Whether threads are free for so many tasks, or the last of them can be started.
bool WorkerPool::HasThreadFor(size_t tasks) { return idle_ >= tasks || StartThread(); }

bool WorkerPool::StartThread() {
  if (threads_.size() >= max_threads_ || stopping_) return false;
  absl::StatusOr<std::thread> thread = internal::StartThread([this] {
    MutexLock lock(mutex_);
    Work([] { return false; });
  });
  if (!thread.ok()) return false;
  threads_.push_back(*std::move(thread));
  ++idle_;
  return true;
}

void WorkerPool::WorkUntil(const std::function<bool()>& done) {
  MutexLock lock(mutex_);
  ++idle_;
  Work(done);
}

void WorkerPool::Wake() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

void WorkerPool::Work(const std::function<bool()>& done) {
  for (;;) {
    while (tasks_.empty() && !stopping_ && !done()) changed_.Wait(mutex_);
    --idle_;
    if (tasks_.empty()) return;
    std::shared_ptr<Task> task = tasks_.Pop();
    {
      MutexUnlock unlock(mutex_);
      const WorkerPool* outer = std::exchange(current_, this);
      task->Run();
      current_ = outer;
      task.reset();
    }
    ++idle_;
  }
}

}  // namespace ferry::internal
