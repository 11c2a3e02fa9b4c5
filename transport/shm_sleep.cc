// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How the reader of a ShmTransport sleeps, and who wakes it.

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/shm_transport.h"
#include "ferry/transport/wait_set.h"

namespace ferry {

using internal::RingControl;
using internal::RingRegion;
using internal::RingSocket;
namespace sys = internal::sys;

namespace {

// How often a reader that no descriptor was left to wake looks for what should have.
constexpr absl::Duration kLookAgain = absl::Milliseconds(10);

}  // namespace

bool ShmTransport::Poll() {
  if (ended_ || closing_.load(std::memory_order_relaxed)) return true;
  // A peer that makes room is as much at work as one that sends.
  if (has_backlog_.load(std::memory_order_relaxed) && Pump(WhenFull::kReturn)) return true;
  if (!reader_.attached()) LookForGreeting();
  if (has_backlog_.load(std::memory_order_relaxed) && IsHeldBack()) return false;
  return reader_.HasNext() || ended_;
}

void ShmTransport::Wait(const WaitOptions& options) {
  if (ended_) return;
  deadline_ = options.deadline;
  Sleep how = HowToSleep(options);
  if (how == Sleep::kPoll) wake_.Open().IgnoreError();
  sleep_.store(how);
  bool interrupted = options.interruptible && interrupted_.load() && interrupted_.exchange(false);
  if (how == Sleep::kNone || closing_.load()) {
    if (has_backlog_.load()) Pump(WhenFull::kReturn);
    TakeIn(RingSocket::Mode::kNow);
  } else if (!interrupted && !HasReasonToStayAwake()) {
    if (how == Sleep::kPoll) SleepInPoll(options);
    if (how == Sleep::kReceive) TakeIn(RingSocket::Mode::kMaySleep);
  }
  sleep_.store(Sleep::kNone, std::memory_order_relaxed);
  held_back_.store(false, std::memory_order_relaxed);
}

ShmTransport::Sleep ShmTransport::HowToSleep(const WaitOptions& options) const {
  if (HasPassed(options.deadline)) return process_ == nullptr ? Sleep::kNone : Sleep::kPoll;
  bool rings_only = options.deadline == kNoDeadline && !options.interruptible &&
                    process_ == nullptr && reader_.attached() && !IsHeldBack();
  return rings_only ? Sleep::kReceive : Sleep::kPoll;
}

// Sees to it that the peer rings for what comes next. Each of these looks comes after the
// store that asks for the ring.
bool ShmTransport::HasReasonToStayAwake() {
  if (has_backlog_.load()) {
    Pump(WhenFull::kArm);
    if (!has_backlog_.load()) return true;  // somebody may wait for no more than that
  }
  if (closing_.load()) return true;
  if (!reader_.attached()) return false;  // the greeting wakes
  if (reader_.Publish()) socket_.Ring();
  if (has_backlog_.load() && IsHeldBack()) {
    // Before another look: who makes room does that, then looks here. The lock orders them.
    held_back_.store(true, std::memory_order_relaxed);
    return !IsHeldBack();
  }
  return !reader_.Arm();
}

// What it would be woken for was not to wake it.
void ShmTransport::WakeIfHeldBack() {
  if (!held_back_.load(std::memory_order_relaxed) || queued() > max_queued()) return;
  held_back_.store(false, std::memory_order_relaxed);
  WakeSleeper();
}

void ShmTransport::SleepInPoll(const WaitOptions& options) {
  struct pollfd fds[] = {
      {socket_.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}, {ProcessFd(), POLLIN, 0}};
  Deadline until =
      wake_.is_open() ? options.deadline : std::min(options.deadline, DeadlineAfter(kLookAgain));
  // EINTR counts as a wake for no reason: revents are 0 then.
  sys::Poll(fds, std::size(fds), until);
  if (fds[1].revents != 0) wake_.Clear();
  if (options.interruptible) interrupted_.store(false, std::memory_order_relaxed);
  if (fds[0].revents != 0) {
    TakeIn(RingSocket::Mode::kNow);
  } else if (fds[2].revents != 0) {
    End(ReasonOfEnd());  // though another process has its socket
  }
}

// The end is left to Wait, which has the time to explain it, and finds it again.
void ShmTransport::LookForGreeting() {
  RingSocket::Taken taken = socket_.Take(RingSocket::Mode::kNow);
  if (taken != RingSocket::Taken::kEnd) Take(taken);
}

void ShmTransport::TakeIn(RingSocket::Mode mode) { Take(socket_.Take(mode)); }

void ShmTransport::Take(RingSocket::Taken taken) {
  switch (taken) {
    case RingSocket::Taken::kNothing:
    case RingSocket::Taken::kRings:
      break;
    case RingSocket::Taken::kGreeting:
      Attach();
      break;
    case RingSocket::Taken::kEnd:
      End(ReasonOfEnd());
      break;
    case RingSocket::Taken::kBroken:
      End(socket_.what_is_broken());
      break;
  }
}

void ShmTransport::Attach() {
  absl::StatusOr<RingRegion> region =
      RingRegion::MapPeers(socket_.TakePeerMemory(), socket_.peer_geometry());
  if (!region.ok()) {
    End(region.status());
    return;
  }
  peer_region_ = *std::move(region);
  reader_.Attach(peer_region_.data(), socket_.peer_geometry());
  writer_.Attach(reinterpret_cast<const RingControl*>(peer_region_.data()));
  // Whoever has pumped before could not ask for room.
  Pump(WhenFull::kArm);
}

void ShmTransport::Interrupt() {
  interrupted_.store(true);
  Sleep how = sleep_.load();
  if (how == Sleep::kPoll) wake_.Set();
  if (how == Sleep::kSet) set_->Notify(id_in_set_);
}

// The end of the socket wakes a sleep in it.
void ShmTransport::WakeSleeper() {
  Sleep how = sleep_.load();
  if (how == Sleep::kPoll) wake_.Set();
  if (how == Sleep::kSet) set_->Notify(id_in_set_);
}

absl::Status ShmTransport::Join(WaitSet& set, uint64_t id) {
  absl::Status watched = set.Watch(socket_.fd(), WaitSet::Until::kReadable, id);
  if (watched.ok() && process_ != nullptr) {
    watched = set.Watch(process_->pid_fd(), WaitSet::Until::kReadable, id);
    if (!watched.ok()) set.Unwatch(socket_.fd());
  }
  if (!watched.ok()) return watched;
  set_ = &set;
  id_in_set_ = id;
  return absl::OkStatus();
}

bool ShmTransport::Arm() {
  sleep_.store(Sleep::kSet);
  return ended_ || HasReasonToStayAwake() || interrupted_.load();
}

void ShmTransport::LeaveSet() {
  if (set_ == nullptr) return;
  set_->Unwatch(socket_.fd());
  if (process_ != nullptr) set_->Unwatch(process_->pid_fd());
}

}  // namespace ferry
