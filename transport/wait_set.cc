// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/wait_set.h"

#include <cerrno>
#include <utility>

#include "ferry/transport/internal/sys.h"

namespace ferry {

using internal::MutexLock;
namespace sys = internal::sys;

namespace {

uint32_t EventsOf(WaitSet::Until until) {
  switch (until) {
    case WaitSet::Until::kReadable:
      return EPOLLIN;
    case WaitSet::Until::kWritable:
      return EPOLLOUT;
    case WaitSet::Until::kEnd:
      return 0;
    case WaitSet::Until::kEither:
      break;
  }
  return EPOLLIN | EPOLLOUT;
}

absl::Status Outcome(int result) {
  return result == 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "epoll_ctl");
}

}  // namespace

absl::StatusOr<std::unique_ptr<WaitSet>> WaitSet::Create() {
  std::unique_ptr<WaitSet> set(new WaitSet);
  set->epoll_ = internal::UniqueFd(sys::EpollCreate());
  if (!set->epoll_.valid()) return absl::ErrnoToStatus(errno, "epoll_create1");
  if (absl::Status opened = set->notice_.Open(); !opened.ok()) return opened;
  absl::Status watched = set->Watch(set->notice_.fd(), Until::kReadable, kNotified);
  if (!watched.ok()) return watched;
  return set;
}

std::optional<WaitSet::Id> WaitSet::Next(Deadline deadline) {
  if (ready_begin_ == ready_end_) {
    struct epoll_event events[kMaxReady];
    ready_begin_ = 0;
    ready_end_ = sys::EpollWait(epoll_.get(), deadline, events, kMaxReady);
    for (size_t i = 0; i < ready_end_; ++i) ready_[i] = events[i].data.u64;
  }
  if (ready_begin_ == ready_end_) return std::nullopt;
  Id id = ready_[ready_begin_++];
  if (id == kAlarm) {
    Alarm(kNoDeadline).IgnoreError();  // silent until it is set anew
    return std::nullopt;
  }
  return id == kNotified ? TakeNotified() : id;
}

absl::Status WaitSet::Alarm(Deadline deadline) {
  if (deadline == alarm_) return absl::OkStatus();
  if (!timer_.valid()) {
    internal::UniqueFd timer(sys::TimerFd());
    if (!timer.valid()) return absl::ErrnoToStatus(errno, "timerfd_create");
    if (absl::Status watched = Watch(timer.get(), Until::kReadable, kAlarm); !watched.ok()) {
      return watched;
    }
    timer_ = std::move(timer);
  }
  alarm_ = deadline;
  if (sys::SetTimer(timer_.get(), deadline) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "timerfd_settime");
}

std::optional<WaitSet::Id> WaitSet::TakeNotified() {
  MutexLock lock(mutex_);
  if (notified_.empty()) return std::nullopt;
  Id id = notified_.front();
  notified_.erase(notified_.begin());
  if (notified_.empty()) notice_.Clear();
  if (id == kNobody) return std::nullopt;
  return id;
}

void WaitSet::Notify(Id id) {
  MutexLock lock(mutex_);
  for (Id there : notified_) {
    if (there == id) return;
  }
  notified_.push_back(id);
  if (notified_.size() == 1) notice_.Set();
}

absl::Status WaitSet::Add(const Listener& listener, Id id) {
  return Watch(listener.wait_handle(), Until::kReadable, id);
}

void WaitSet::Remove(const Listener& listener) { Unwatch(listener.wait_handle()); }

absl::Status WaitSet::Watch(int fd, Until until, Id id) {
  return Outcome(sys::EpollControl(epoll_.get(), EPOLL_CTL_ADD, fd, EventsOf(until), id));
}

absl::Status WaitSet::WatchAgain(int fd, Until until, Id id) {
  return Outcome(sys::EpollControl(epoll_.get(), EPOLL_CTL_MOD, fd, EventsOf(until), id));
}

void WaitSet::Unwatch(int fd) { sys::EpollControl(epoll_.get(), EPOLL_CTL_DEL, fd, 0); }

}  // namespace ferry
