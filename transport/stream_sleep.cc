// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How the reader of a StreamTransport sleeps, and who wakes it.

#include <algorithm>
#include <cerrno>

#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::MutexLock;
namespace sys = internal::sys;

namespace {

// How often a reader that no descriptor was left to wake looks for what should have.
constexpr absl::Duration kLookAgain = absl::Milliseconds(10);

}  // namespace

// The end is left to Wait, which has the time to explain it.
bool StreamTransport::Poll() {
  if (ended_ || closing_.load(std::memory_order_relaxed)) return true;
  if (writer_.full() && WriteRest()) return true;
  if (held_back_) return !IsStillHeldBack();
  ssize_t got = ReadMore(ReadMode::kNow);
  if (got > 0) TookIn();
  return got > 0 || (got < 0 && errno == ENOBUFS);
}

// Answers whether nothing is left.
bool StreamTransport::WriteRest() {
  writer_.Write();
  return !writer_.full();
}

void StreamTransport::Wait(const WaitOptions& options) {
  if (ended_) return;
  deadline_ = options.deadline;
  if (held_back_) return WaitForRoom(options);
  // Somebody may wait for no more than that.
  bool sent_rest = writer_.full() && WriteRest();

  Sleep how = HowToSleep(options);
  if (how == Sleep::kPoll) wake_.Open().IgnoreError();
  sleep_.store(how);
  if (MustNotSleep(options, how) || how == Sleep::kNone || sent_rest) {
    ReadOnce(ReadMode::kNow);
  } else if (how == Sleep::kPoll) {
    SleepInPoll(options);
  } else {
    ReadOnce(ReadMode::kMaySleep);
  }
  sleep_.store(Sleep::kNone, std::memory_order_relaxed);
}

StreamTransport::Sleep StreamTransport::HowToSleep(const WaitOptions& options) const {
  if (options.deadline != kNoDeadline) {
    bool must_poll = process_ != nullptr && process_watch_ == nullptr;  // to see it end
    return HasPassed(options.deadline) && !must_poll ? Sleep::kNone : Sleep::kPoll;
  }
  bool frames_only = !options.interruptible && !writer_.full();
  return frames_only && may_sleep_in_read_ ? Sleep::kRead : Sleep::kPoll;
}

bool StreamTransport::MustNotSleep(const WaitOptions& options, Sleep how) {
  if (options.interruptible && interrupted_.load() && interrupted_.exchange(false)) return true;
  if (closing_.load() || writer_.failed() || process_ended_.load()) return true;
  return how == Sleep::kRead && writer_.full();  // since HowToSleep
}

void StreamTransport::SleepInPoll(const WaitOptions& options) {
  short frames = held_back_ ? 0 : POLLIN;  // the end shows in any case
  struct pollfd fds[] = {{read_end_.fd(), frames, 0},
                         {wake_.fd(), POLLIN, 0},
                         {writer_.full() || held_back_ ? writer_.fd() : -1, POLLOUT, 0},
                         {ProcessFd(), POLLIN, 0}};
  Deadline until =
      wake_.is_open() ? options.deadline : std::min(options.deadline, DeadlineAfter(kLookAgain));
  // EINTR counts as a wake for no reason: revents are 0 then.
  sys::Poll(fds, std::size(fds), until);
  if (fds[1].revents != 0) wake_.Clear();
  if (options.interruptible) interrupted_.store(false, std::memory_order_relaxed);
  if (fds[2].revents != 0) writer_.Write();
  // What poll saw stays there: this thread is the only reader.
  if (fds[0].revents != 0 && held_back_) {
    ending_ = true;
  } else if (fds[0].revents != 0) {
    ReadOnce(ReadMode::kMaySleep);
  } else if (fds[3].revents != 0) {
    process_ended_.store(true);  // all that it has written is there by now
  }
}

// What is in the stream stays there, but the end would not show behind it.
void StreamTransport::WaitForRoom(const WaitOptions& options) {
  writer_.Write();
  struct pollfd ends[] = {{read_end_.fd(), 0, 0}, {ProcessFd(), POLLIN, 0}};
  sys::Poll(ends, std::size(ends), Deadline::min());
  if (ends[0].revents != 0) ending_ = true;
  if (ends[1].revents != 0) process_ended_.store(true);
  if (!IsStillHeldBack() || HasPassed(options.deadline)) return;
  wake_.Open().IgnoreError();
  sleep_.store(Sleep::kPoll);
  if (!MustNotSleep(options, Sleep::kPoll) && MustHoldBack()) SleepInPoll(options);
  sleep_.store(Sleep::kNone, std::memory_order_relaxed);
}

void StreamTransport::Interrupt() {
  interrupted_.store(true);
  Sleep how = sleep_.load();
  if (how == Sleep::kPoll) wake_.Set();
  if (how == Sleep::kSet) set_->Notify(id_in_set_);
}

void StreamTransport::WakeSleeper() {
  Sleep how = sleep_.load();
  if (how == Sleep::kPoll) wake_.Set();
  if (how == Sleep::kSet) set_->Notify(id_in_set_);
  // Nothing behind the byte is read: the connection is at its end.
  if (how == Sleep::kRead) read_end_.Wake();
}

// On the watching thread, which has no descriptors.
void StreamTransport::OnProcessEnded() {
  process_ended_.store(true);
  if (sleep_.load() != Sleep::kRead) return;
  wake_byte_.store(WakeByte::kOnItsWay);
  bool written = read_end_.Wake();
  wake_byte_.store(written ? WakeByte::kInPipe : WakeByte::kNone);
}

absl::Status StreamTransport::Join(WaitSet& set, uint64_t id) {
  absl::Status watched = set.Watch(read_end_.fd(), WaitSet::Until::kReadable, id);
  if (watched.ok() && process_ != nullptr) {
    watched = set.Watch(process_->pid_fd(), WaitSet::Until::kReadable, id);
    if (!watched.ok()) set.Unwatch(read_end_.fd());
  }
  if (!watched.ok()) return watched;
  set_ = &set;
  id_in_set_ = id;
  return absl::OkStatus();
}

bool StreamTransport::Arm() {
  bool is_free_again = held_back_ && !IsStillHeldBack();
  sleeps_for_room_.store(held_back_, std::memory_order_relaxed);
  bool watched = WhatToWatch() == watched_.load() || WatchForRoom();
  sleep_.store(Sleep::kSet);
  return !watched || closing_.load() || interrupted_.load() || process_ended_.load() ||
         writer_.failed() || is_free_again || (held_back_ && !MustHoldBack()) ||
         WhatToWatch() != watched_.load();
}

StreamTransport::Watched StreamTransport::WhatToWatch() const {
  if (!writer_.full() || closing_.load()) return Watched::kFrames;
  return sleeps_for_room_.load(std::memory_order_relaxed) ? Watched::kRoom
                                                          : Watched::kFramesAndRoom;
}

// Lets the set wait for room as long as there is none, and for nothing else while the
// reader is held back. False if it cannot.
bool StreamTransport::WatchForRoom() {
  MutexLock lock(mutex_);
  Watched before = watched_.load(), now = WhatToWatch();
  if (now == before) return true;
  if (now == Watched::kFrames) {
    StopWatchingForRoom();
    return true;
  }
  bool room_only = now == Watched::kRoom;
  absl::Status watched;
  if (writer_.is_socket()) {
    watched = set_->WatchAgain(read_end_.fd(),
                               room_only ? WaitSet::Until::kWritable : WaitSet::Until::kEither,
                               id_in_set_);
  } else {
    if (before == Watched::kFrames) {
      watched = set_->Watch(writer_.fd(), WaitSet::Until::kWritable, id_in_set_);
    }
    if (watched.ok() && room_only != (before == Watched::kRoom)) {
      watched = set_->WatchAgain(
          read_end_.fd(), room_only ? WaitSet::Until::kEnd : WaitSet::Until::kReadable, id_in_set_);
    }
  }
  if (watched.ok()) watched_.store(now);
  return watched.ok();
}

// Before the descriptor is closed: its number may be another's soon.
void StreamTransport::StopWatchingForRoom() {
  Watched before = watched_.exchange(Watched::kFrames);
  if (before == Watched::kFrames) return;
  if (!writer_.is_socket()) set_->Unwatch(writer_.fd());
  if (writer_.is_socket() || before == Watched::kRoom) {
    set_->WatchAgain(read_end_.fd(), WaitSet::Until::kReadable, id_in_set_).IgnoreError();
  }
}

// An end stays readable for as long as the descriptor is open, which may be much longer
// than somebody reads it: handlers that run keep it. What is still to be told goes
// through Notify.
void StreamTransport::LeaveSet() {
  if (set_ == nullptr) return;
  StopWatchingForRoom();
  set_->Unwatch(read_end_.fd());
  if (process_ != nullptr) set_->Unwatch(process_->pid_fd());
}

}  // namespace ferry
