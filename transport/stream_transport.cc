// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/stream_transport.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"

namespace ferry {

using internal::Block;
using internal::MutexLock;
namespace sys = internal::sys;

namespace {

// How often a thread looks again for what cannot wake it: in poll, an interrupt, when no
// descriptor was left for one; beside a reader, that the reader is awake or the
// connection at its end. Neither is a state that lasts.
constexpr absl::Duration kLookAgain = absl::Milliseconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<StreamTransport>> StreamTransport::Create(
    internal::UniqueFd read_fd, internal::UniqueFd write_fd, internal::WriteEnd::Sharing sharing,
    Peer peer, std::shared_ptr<PeerProcess> process) {
  absl::StatusOr<internal::WriteEnd> write_end =
      internal::WriteEnd::Create(std::move(write_fd), sharing);
  if (!write_end.ok()) return write_end.status();
  return std::unique_ptr<StreamTransport>(new StreamTransport(
      std::move(read_fd), *std::move(write_end), std::move(peer), std::move(process)));
}

StreamTransport::StreamTransport(internal::UniqueFd read_fd, internal::WriteEnd write_end,
                                 Peer peer, std::shared_ptr<PeerProcess> process)
    : read_fd_(std::move(read_fd)),
      peer_(std::move(peer)),
      process_(std::move(process)),
      writer_(std::move(write_end)) {
  can_wake_read_ = !sys::IsNonBlocking(read_fd_.get()) &&
                   internal::UniqueFd(sys::OpenWriteEnd(read_fd_.get())).valid();
  if (process_ == nullptr || !can_wake_read_) return;
  // Polls see the process's descriptor; a sleep in read(2) has to be woken.
  auto watch = internal::ProcessWatch::Start(process_->pid_fd(), absl::ZeroDuration(),
                                             [this] { OnProcessEnded(); });
  can_wake_read_ = watch.ok();
  if (watch.ok()) process_watch_ = *std::move(watch);
}

StreamTransport::~StreamTransport() { writer_.Close(); }

ReserveResult StreamTransport::Reserve(const FrameHeader& header, size_t size, Reservation& out) {
  if (closing_.load(std::memory_order_relaxed)) return ReserveResult::kClosed;
  Block* block = writer_.pool().Take(header, size);
  out = {block->payload(), size, block};
  return ReserveResult::kOk;
}

void StreamTransport::Commit(Reservation& reservation) {
  auto* block = static_cast<Block*>(std::exchange(reservation.slot, nullptr));
  if (closing_.load(std::memory_order_relaxed)) {
    writer_.pool().Give(block);
  } else {
    writer_.Commit(block);
  }
}

void StreamTransport::Abandon(Reservation& reservation) {
  writer_.pool().Give(static_cast<Block*>(std::exchange(reservation.slot, nullptr)));
}

void StreamTransport::Flush(Deadline deadline) {
  writer_.Write();
  if (!writer_.full() && !writer_.failed()) return;
  if (sleep_.load() == Sleep::kRead && !writer_.failed()) {
    WriteBeside(deadline);
  } else {
    WakeSleeper();  // it will wait for room, too, or see the end
  }
}

// Writes the rest while another thread sleeps in read(2), where it sees no room, and no
// longer: awake, that thread sends it, or whoever reads next.
void StreamTransport::WriteBeside(Deadline deadline) {
  while (sleep_.load() == Sleep::kRead && writer_.full() && !closing_.load() &&
         !HasPassed(deadline)) {
    struct pollfd room = {writer_.fd(), POLLOUT, 0};
    sys::Poll(&room, 1, std::min(deadline, DeadlineAfter(kLookAgain)));
    writer_.Write();
  }
}

ReadResult StreamTransport::TryRead(Frame& frame) {
  if (closed_.load(std::memory_order_acquire)) return ReadResult::kClosed;
  switch (received_.TryNext(frame)) {
    case internal::ReceiveBuffer::Next::kFrame:
      return ReadResult::kFrame;
    case internal::ReceiveBuffer::Next::kBroken:
      End(received_.WhatIsBroken());
      return ReadResult::kClosed;
    case internal::ReceiveBuffer::Next::kEmpty:
      break;
  }
  return ended_ ? ReadResult::kClosed : ReadResult::kEmpty;
}

void StreamTransport::Wait(const WaitOptions& options) {
  if (ended_) return;
  deadline_ = options.deadline;
  if (sleep_.load(std::memory_order_relaxed) == Sleep::kPoll) wake_.Clear();  // armed
  if (writer_.full()) writer_.Write();

  Sleep how = HowToSleep(options);
  if (how == Sleep::kPoll) wake_.Open().IgnoreError();
  sleep_.store(how);
  if (MustNotSleep(options, how) || how == Sleep::kNone) {
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
    bool must_poll = process_ != nullptr && process_watch_ == nullptr;
    return HasPassed(options.deadline) && !must_poll ? Sleep::kNone : Sleep::kPoll;
  }
  bool frames_only = !options.interruptible && !options.want_room && !writer_.full();
  return frames_only && can_wake_read_ ? Sleep::kRead : Sleep::kPoll;
}

bool StreamTransport::MustNotSleep(const WaitOptions& options, Sleep how) {
  if (options.interruptible && interrupted_.load() && interrupted_.exchange(false)) return true;
  if (closing_.load() || writer_.failed() || process_ended_.load()) return true;
  return how == Sleep::kRead && writer_.full();  // since HowToSleep
}

void StreamTransport::SleepInPoll(const WaitOptions& options) {
  struct pollfd fds[] = {{read_fd_.get(), POLLIN, 0},
                         {wake_.fd(), POLLIN, 0},
                         {writer_.full() ? writer_.fd() : -1, POLLOUT, 0},
                         {ProcessFd(), POLLIN, 0}};
  Deadline until =
      wake_.is_open() ? options.deadline : std::min(options.deadline, DeadlineAfter(kLookAgain));
  // EINTR counts as a wake for no reason: revents are 0 then.
  sys::Poll(fds, std::size(fds), until);
  if (fds[1].revents != 0) wake_.Clear();
  if (options.interruptible) interrupted_.store(false, std::memory_order_relaxed);
  if (fds[2].revents != 0) writer_.Write();
  // What poll saw stays there: this thread is the only reader.
  if (fds[0].revents != 0) {
    ReadOnce(ReadMode::kMaySleep);
  } else if (fds[3].revents != 0) {
    process_ended_.store(true);  // all that it has written is there by now
  }
}

// As read(2), into `received_`. ENOBUFS: it is full of frames that nobody has taken.
ssize_t StreamTransport::ReadMore(ReadMode mode) {
  internal::ReceiveBuffer::Room room = received_.PrepareRead();
  if (room.size == 0) errno = ENOBUFS;
  if (room.size == 0) return -1;
  ssize_t got = mode == ReadMode::kMaySleep ? sys::Read(read_fd_.get(), room.data, room.size)
                                            : sys::ReadNow(read_fd_.get(), room.data, room.size);
  if (got > 0) received_.Received(static_cast<size_t>(got));
  return got;
}

void StreamTransport::ReadOnce(ReadMode mode) {
  ssize_t got = ReadMore(mode);
  if (got > 0) {
    if (wake_byte_.load(std::memory_order_relaxed) != WakeByte::kNone) TakeRest();
    return;
  }
  if (got < 0 && (errno == EINTR || errno == ENOBUFS)) return;
  if (got < 0 && errno == EAGAIN) {
    // Somebody with whom the descriptor is shared has made it so.
    if (mode == ReadMode::kMaySleep) can_wake_read_ = false;
    // When the peer has stopped reading, what it still had to say was said.
    if (!writer_.failed() && !process_ended_.load()) return;
  }
  End(ReasonOfEnd());
}

// All that the process has left in the pipe, but for the byte behind it that woke this
// thread: that must not complete a frame which the process had no time to finish.
void StreamTransport::TakeRest() {
  while (wake_byte_.load() == WakeByte::kOnItsWay) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));  // whatever our priority
  }
  if (wake_byte_.load() == WakeByte::kNone) return;
  for (;;) {
    ssize_t got = ReadMore(ReadMode::kNow);
    if (got < 0 && errno == ENOBUFS) return;  // the rest next time
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  received_.DropLastByte();
  wake_byte_.store(WakeByte::kNone);
}

absl::Status StreamTransport::ReasonOfEnd() const {
  if (closing_.load()) return close_reason();
  if (process_ != nullptr) return process_->ExplainEnd(deadline_);
  return absl::UnavailableError(
      absl::StrCat(peer_.description, " closed the connection",
                   received_.unfinished().empty() ? "" : " in the middle of a frame"));
}

void StreamTransport::End(const absl::Status& reason) {
  ended_ = true;
  sleep_.store(Sleep::kNone, std::memory_order_relaxed);  // this thread was the one
  SetCloseReason(reason, Received::kCounts);
}

// Closes the sending half, so that the peer sees the end.
void StreamTransport::SetCloseReason(const absl::Status& reason, Received received) {
  {
    MutexLock lock(mutex_);
    bool first = close_reason_.ok();
    if (first) close_reason_ = reason;
    // Pairs with the acquire in TryRead: who sees kClosed finds the reason.
    if (received == Received::kDropped) closed_.store(true, std::memory_order_release);
    if (!first) return;
    closing_.store(true);
  }
  writer_.Close();
  WakeSleeper();
}

void StreamTransport::Close(const absl::Status& reason) {
  SetCloseReason(reason, Received::kDropped);
}

void StreamTransport::Interrupt() {
  interrupted_.store(true);
  if (sleep_.load() == Sleep::kPoll) wake_.Set();
}

void StreamTransport::WakeSleeper() {
  Sleep how = sleep_.load();
  if (how == Sleep::kPoll) wake_.Set();
  // Nothing behind the byte is read: the connection is at its end.
  if (how == Sleep::kRead) sys::WakeReader(read_fd_.get());
}

// On the watching thread, which has no descriptors.
void StreamTransport::OnProcessEnded() {
  process_ended_.store(true);
  if (sleep_.load() != Sleep::kRead) return;
  wake_byte_.store(WakeByte::kOnItsWay);
  bool written = sys::WakeReader(read_fd_.get());
  wake_byte_.store(written ? WakeByte::kInPipe : WakeByte::kNone);
}

bool StreamTransport::Arm() {
  MutexLock lock(mutex_);
  if (!epoll_.valid()) return true;
  bool wants_write = writer_.full();
  if (wants_write != epoll_has_write_) {
    int operation = wants_write ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    if (sys::EpollControl(epoll_.get(), operation, writer_.fd(), EPOLLOUT) != 0) return true;
    epoll_has_write_ = wants_write;
  }
  sleep_.store(Sleep::kPoll);
  return closing_.load() || interrupted_.load() || process_ended_.load() || writer_.failed() ||
         writer_.full() != wants_write;
}

int StreamTransport::WaitHandle() {
  MutexLock lock(mutex_);
  if (epoll_.valid()) return epoll_.get();
  internal::UniqueFd epoll(sys::EpollCreate());
  if (epoll.valid() && wake_.Open().ok() &&
      sys::EpollControl(epoll.get(), EPOLL_CTL_ADD, read_fd_.get(), EPOLLIN) == 0 &&
      sys::EpollControl(epoll.get(), EPOLL_CTL_ADD, wake_.fd(), EPOLLIN) == 0 &&
      (process_ == nullptr ||
       sys::EpollControl(epoll.get(), EPOLL_CTL_ADD, process_->pid_fd(), EPOLLIN) == 0)) {
    epoll_ = std::move(epoll);
  }
  return epoll_.get();
}

absl::Status StreamTransport::close_reason() const {
  MutexLock lock(mutex_);
  return close_reason_;
}

}  // namespace ferry
