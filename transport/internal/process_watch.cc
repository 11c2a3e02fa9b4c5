// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/process_watch.h"

#include <pthread.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {

// Thread contract: thread-safe.
class ProcessWatchThread {
 public:
  // The one of this process, started if there is none.
  static absl::StatusOr<std::shared_ptr<ProcessWatchThread>> Get();

  ~ProcessWatchThread() {
    if (fork_mark_.IsForked()) {
      new std::thread(std::move(thread_));  // there is none to join, and none may be destroyed
      return;
    }
    if (!thread_.joinable()) return;
    stop_.Set();
    thread_.join();
  }

  absl::StatusOr<uint64_t> Add(int pid_fd, absl::Duration delay, ProcessWatch::Ended ended) {
    MutexLock lock(mutex_);
    uint64_t id = ++last_id_;
    if (sys::EpollControl(epoll_.get(), EPOLL_CTL_ADD, pid_fd, EPOLLIN | EPOLLONESHOT, id) != 0) {
      return absl::ErrnoToStatus(errno, "epoll_ctl on a process");
    }
    entries_[id] = {delay, std::move(ended), kNoDeadline};
    return id;
  }

  void Remove(int pid_fd, uint64_t id) {
    MutexLock lock(mutex_);
    sys::EpollControl(epoll_.get(), EPOLL_CTL_DEL, pid_fd, 0);
    entries_.erase(id);
    while (running_ == id) finished_.Wait(mutex_);
  }

 private:
  static constexpr uint64_t kStop = 0;

  struct Entry {
    absl::Duration delay;
    ProcessWatch::Ended ended;
    Deadline due = kNoDeadline;  // set when the process has ended
  };

  absl::Status Start();
  void Run();
  // Runs what is due. Answers when the next one will be.
  Deadline RunDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  UniqueFd epoll_;
  Event stop_;
  std::thread thread_;
  const ForkMark fork_mark_;

  Mutex mutex_;
  CondVar finished_;
  std::map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = kStop;
  uint64_t running_ ABSL_GUARDED_BY(mutex_) = kStop;  // kStop: none
};

absl::Status ProcessWatchThread::Start() {
  epoll_ = UniqueFd(sys::EpollCreate());
  if (!epoll_.valid()) return absl::ErrnoToStatus(errno, "epoll_create1");
  if (absl::Status opened = stop_.Open(); !opened.ok()) return opened;
  if (sys::EpollControl(epoll_.get(), EPOLL_CTL_ADD, stop_.fd(), EPOLLIN, kStop) != 0) {
    return absl::ErrnoToStatus(errno, "epoll_ctl");
  }
  absl::StatusOr<std::thread> thread = StartThread([this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void ProcessWatchThread::Run() {
  sys::KeepOnly(epoll_.get());
  MutexLock lock(mutex_);
  for (;;) {
    Deadline next = RunDue();
    struct epoll_event event;
    bool ready = false;
    {
      MutexUnlock unlock(mutex_);
      ready = sys::EpollWait(epoll_.get(), next, &event, 1) != 0;
    }
    if (!ready) continue;
    const uint64_t id = event.data.u64;  // the struct is packed: no reference into it
    if (id == kStop) return;
    auto found = entries_.find(id);
    if (found != entries_.end()) found->second.due = DeadlineAfter(found->second.delay);
  }
}

Deadline ProcessWatchThread::RunDue() {
  for (;;) {
    auto first =
        std::min_element(entries_.begin(), entries_.end(),
                         [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
    if (first == entries_.end()) return kNoDeadline;
    if (!HasPassed(first->second.due)) return first->second.due;
    first->second.due = kNoDeadline;
    ProcessWatch::Ended ended = std::move(first->second.ended);
    running_ = first->first;
    {
      MutexUnlock unlock(mutex_);
      ended();
    }
    running_ = kStop;
    finished_.NotifyAll();
  }
}

namespace {

struct Shared {
  Mutex mutex;
  std::weak_ptr<ProcessWatchThread> thread ABSL_GUARDED_BY(mutex);
};

Shared& TheShared() {
  static auto* shared = new Shared;
  return *shared;
}

// A forked child may start processes of its own: it gets the lock free.
void LockShared() ABSL_NO_THREAD_SAFETY_ANALYSIS { TheShared().mutex.Lock(); }
void UnlockShared() ABSL_NO_THREAD_SAFETY_ANALYSIS { TheShared().mutex.Unlock(); }
[[maybe_unused]] const int registered = pthread_atfork(LockShared, UnlockShared, UnlockShared);

}  // namespace

absl::StatusOr<std::shared_ptr<ProcessWatchThread>> ProcessWatchThread::Get() {
  Shared& shared = TheShared();
  MutexLock lock(shared.mutex);
  std::shared_ptr<ProcessWatchThread> thread = shared.thread.lock();
  if (thread != nullptr && !thread->fork_mark_.IsForked()) return thread;
  thread = std::make_shared<ProcessWatchThread>();
  if (absl::Status started = thread->Start(); !started.ok()) return started;
  shared.thread = thread;
  return thread;
}

absl::StatusOr<std::unique_ptr<ProcessWatch>> ProcessWatch::Start(int pid_fd, absl::Duration delay,
                                                                  Ended ended) {
  absl::StatusOr<std::shared_ptr<ProcessWatchThread>> thread = ProcessWatchThread::Get();
  if (!thread.ok()) return thread.status();
  absl::StatusOr<uint64_t> id = (*thread)->Add(pid_fd, delay, std::move(ended));
  if (!id.ok()) return id.status();
  return std::unique_ptr<ProcessWatch>(new ProcessWatch(*std::move(thread), pid_fd, *id));
}

ProcessWatch::ProcessWatch(std::shared_ptr<ProcessWatchThread> thread, int pid_fd, uint64_t id)
    : thread_(std::move(thread)), pid_fd_(pid_fd), id_(id) {}

ProcessWatch::~ProcessWatch() {
  if (!fork_mark_.IsForked()) thread_->Remove(pid_fd_, id_);
}

}  // namespace ferry::internal
