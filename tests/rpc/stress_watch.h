// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_STRESS_WATCH_H_
#define FERRY_TESTS_RPC_STRESS_WATCH_H_

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::test {

// What a thread is at, for the watchdog. Written by that thread.
class Activity {
 public:
  void Begin(const char* what) {
    what_.store(what);
    ++begun_;
  }
  void End() { Begin(nullptr); }
  const char* what() const { return what_.load(); }
  int64_t begun() const { return begun_.load(); }

 private:
  std::atomic<const char*> what_{nullptr};
  std::atomic<int64_t> begun_{0};
};

// Ends the process when some thread has been at one thing for far too long, and says which.
class Watchdog {
 public:
  explicit Watchdog(size_t threads, std::string title)
      : activities_(threads), title_(std::move(title)), thread_([this] { Run(); }) {}
  ~Watchdog() {
    {
      internal::MutexLock lock(mutex_);
      stops_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }

  Activity& of(size_t thread) { return activities_[thread]; }

 private:
  static constexpr int kMostTicks = 60;

  void Run() {
    std::vector<int64_t> seen(activities_.size());
    std::vector<int> ticks(activities_.size());
    internal::MutexLock lock(mutex_);
    while (!stops_) {
      changed_.Wait(mutex_, DeadlineAfter(absl::Seconds(1)));
      bool is_stuck = false;
      for (size_t i = 0; i < activities_.size(); ++i) {
        int64_t begun = activities_[i].begun();
        bool same = activities_[i].what() != nullptr && begun == std::exchange(seen[i], begun);
        ticks[i] = same ? ticks[i] + 1 : 0;
        is_stuck = is_stuck || ticks[i] == kMostTicks;
      }
      if (is_stuck) Bark(ticks);
    }
  }

  void Bark(const std::vector<int>& ticks) {
    std::fprintf(stderr, "STUCK: %s\n", title_.c_str());
    for (size_t i = 0; i < activities_.size(); ++i) {
      const char* what = activities_[i].what();
      if (what == nullptr) continue;
      std::fprintf(stderr, "  thread %zu: %s for %d s\n", i, what, ticks[i]);
    }
    if (getenv("STRESS_WAITS_FOR_GDB") != nullptr) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    std::abort();
  }

  std::vector<Activity> activities_;
  const std::string title_;
  internal::Mutex mutex_;
  internal::CondVar changed_;
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Does things a while later, on a thread of its own, all of them before it goes.
class Later {
 public:
  Later() : thread_([this] { Run(); }) {}
  ~Later() {
    {
      internal::MutexLock lock(mutex_);
      stops_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }

  void Do(absl::Duration delay, std::function<void()> deed) {
    internal::MutexLock lock(mutex_);
    deeds_.emplace(DeadlineAfter(delay), std::move(deed));
    changed_.NotifyAll();
  }

 private:
  void Run() {
    internal::MutexLock lock(mutex_);
    while (!stops_ || !deeds_.empty()) {
      Deadline next = deeds_.empty() ? kNoDeadline : deeds_.begin()->first;
      if (!HasPassed(next) && !stops_) {
        changed_.Wait(mutex_, next);
        continue;
      }
      std::function<void()> deed = std::move(deeds_.begin()->second);
      deeds_.erase(deeds_.begin());
      internal::MutexUnlock unlock(mutex_);
      deed();
      deed = nullptr;
    }
  }

  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::multimap<Deadline, std::function<void()>> deeds_ ABSL_GUARDED_BY(mutex_);
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_STRESS_WATCH_H_
