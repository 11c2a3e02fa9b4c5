// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/stream_transport.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"

namespace ferry {

using internal::MutexLock;
using internal::MutexUnlock;
using internal::SendQueue;
namespace sys = internal::sys;

namespace {

// How often a sleep looks for an interrupt when no descriptor was left for one.
constexpr absl::Duration kWithoutWakeEvent = absl::Milliseconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<StreamTransport>> StreamTransport::Create(
    internal::UniqueFd read_fd, internal::UniqueFd write_fd, Peer peer, ExplainEnd explain_end) {
  if (sys::SetNonBlocking(write_fd.get()) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("connection to ", peer.description, ": O_NONBLOCK on descriptor ",
                            write_fd.get()));
  }
  return std::unique_ptr<StreamTransport>(new StreamTransport(
      std::move(read_fd), std::move(write_fd), std::move(peer), std::move(explain_end)));
}

StreamTransport::StreamTransport(internal::UniqueFd read_fd, internal::UniqueFd write_fd,
                                 Peer peer, ExplainEnd explain_end)
    : read_fd_(std::move(read_fd)),
      peer_(std::move(peer)),
      explain_end_(std::move(explain_end)),
      write_fd_(std::move(write_fd)) {
  can_wake_read_ = internal::UniqueFd(sys::OpenWakeEnd(read_fd_.get())).valid();
}

StreamTransport::~StreamTransport() = default;

ReserveResult StreamTransport::Reserve(const FrameHeader& header, size_t size, Reservation& out) {
  MutexLock lock(mutex_);
  if (!close_reason_.ok()) return ReserveResult::kClosed;
  SendQueue::Block* block = queue_.Allocate(header, size);
  out = {block->payload(), size, block};
  return ReserveResult::kOk;
}

void StreamTransport::Commit(Reservation& reservation) {
  auto* block = static_cast<SendQueue::Block*>(std::exchange(reservation.slot, nullptr));
  MutexLock lock(mutex_);
  if (!close_reason_.ok() || write_failed_) {
    queue_.Free(block);
    return;
  }
  queue_.Commit(block);
}

void StreamTransport::Abandon(Reservation& reservation) {
  MutexLock lock(mutex_);
  queue_.Free(static_cast<SendQueue::Block*>(std::exchange(reservation.slot, nullptr)));
}

void StreamTransport::Flush(Deadline deadline) {
  MutexLock lock(mutex_);
  if (writing_) return;  // that thread looks for more before it stops
  WriteQueued();
  if (queue_.empty()) return;
  if (sleep_ == Sleep::kRead) {
    WriteBeside(deadline);
  } else {
    WakeSleeper();  // it will wait for room, too
  }
}

// Writes until all is written, the pipe is full or broken. REQUIRES: !writing_.
void StreamTransport::WriteQueued() {
  writing_ = true;
  struct iovec pieces[SendQueue::kMaxPieces];
  while (!write_failed_ && !queue_.empty()) {
    int count = queue_.Gather(pieces);
    int fd = write_fd_.get();
    ssize_t written;
    int error;
    {
      MutexUnlock unlock(mutex_);
      written = sys::WriteNoSignal(fd, pieces, count);
      error = errno;
    }
    if (written >= 0) {
      queue_.Consume(static_cast<size_t>(written));
    } else if (error == EAGAIN) {
      break;
    } else if (error != EINTR) {
      write_failed_ = true;
    }
  }
  writing_ = false;
  if (write_failed_ || !close_reason_.ok()) {
    queue_.Clear();
    write_fd_.Reset();
  }
  if (write_failed_ && close_reason_.ok()) WakeSleeper();
}

// Writes the rest while another thread sleeps in read(2), where it sees no room.
void StreamTransport::WriteBeside(Deadline deadline) {
  absl::Status opened = closing_.Open();
  while (sleep_ == Sleep::kRead && !queue_.empty() && !HasPassed(deadline)) {
    struct pollfd fds[] = {{write_fd_.get(), POLLOUT, 0}, {closing_.fd(), POLLIN, 0}};
    Deadline until = opened.ok() ? deadline : std::min(deadline, DeadlineAfter(kWithoutWakeEvent));
    writing_ = true;
    {
      MutexUnlock unlock(mutex_);
      sys::Poll(fds, std::size(fds), until);
    }
    writing_ = false;
    WriteQueued();
  }
}

ReadResult StreamTransport::TryRead(Frame& frame) {
  if (closed_.load(std::memory_order_relaxed)) return ReadResult::kClosed;
  absl::Status error;
  switch (received_.TryNext(frame, error)) {
    case internal::ReceiveBuffer::Next::kFrame:
      return ReadResult::kFrame;
    case internal::ReceiveBuffer::Next::kBroken:
      End(error);
      return ReadResult::kClosed;
    case internal::ReceiveBuffer::Next::kEmpty:
      break;
  }
  return ended_.load(std::memory_order_relaxed) ? ReadResult::kClosed : ReadResult::kEmpty;
}

void StreamTransport::Release(const Frame&) { received_.Release(); }

void StreamTransport::Wait(const WaitOptions& options) {
  if (ended_.load(std::memory_order_relaxed)) return;
  bool may_sleep = !HasPassed(options.deadline);
  MutexLock lock(mutex_);
  if (!queue_.empty() && !writing_) WriteQueued();
  if (armed_) {
    armed_ = false;
    wake_.Clear();
  }
  if (options.interruptible && std::exchange(interrupted_, false)) may_sleep = false;
  if (write_failed_ || !close_reason_.ok()) may_sleep = false;

  if (may_sleep && SleepsInPoll(options)) {
    SleepInPoll(options);
    return;
  }
  sleep_ = may_sleep ? Sleep::kRead : Sleep::kNone;
  {
    MutexUnlock unlock(mutex_);
    ReadOnce(may_sleep);
  }
  sleep_ = Sleep::kNone;
}

// Whether anything but a frame may end the sleep.
bool StreamTransport::SleepsInPoll(const WaitOptions& options) const {
  return options.interruptible || options.want_room || options.deadline != kNoDeadline ||
         !queue_.empty() || !can_wake_read_;
}

void StreamTransport::SleepInPoll(const WaitOptions& options) {
  bool has_wake = wake_.Open().ok();
  struct pollfd fds[] = {{read_fd_.get(), POLLIN, 0},
                         {wake_.fd(), POLLIN, 0},
                         {queue_.empty() ? -1 : write_fd_.get(), POLLOUT, 0}};
  Deadline until = has_wake ? options.deadline
                            : std::min(options.deadline, DeadlineAfter(kWithoutWakeEvent));
  sleep_ = Sleep::kPoll;
  {
    MutexUnlock unlock(mutex_);
    // EINTR counts as a wake for no reason: revents are 0 then.
    sys::Poll(fds, std::size(fds), until);
    if (fds[0].revents != 0) ReadOnce(false);
  }
  sleep_ = Sleep::kNone;
  if (fds[1].revents != 0) wake_.Clear();
  if (options.interruptible) interrupted_ = false;
  if (fds[2].revents != 0 && !writing_) WriteQueued();
}

void StreamTransport::ReadOnce(bool may_sleep) {
  internal::ReceiveBuffer::Room room = received_.PrepareRead();
  if (room.size == 0) return;  // it is full of frames that nobody has taken
  ssize_t got = may_sleep ? sys::Read(read_fd_.get(), room.data, room.size)
                          : sys::ReadNow(read_fd_.get(), room.data, room.size);
  if (got > 0) {
    received_.Received(static_cast<size_t>(got));
    return;
  }
  if (got < 0 && errno == EINTR) return;
  if (got < 0 && errno == EAGAIN) {
    MutexLock lock(mutex_);
    if (!write_failed_) return;  // else the peer is gone, and this was the last of it
  }
  End(ReasonOfEnd());
}

absl::Status StreamTransport::ReasonOfEnd() const {
  if (closed_.load(std::memory_order_relaxed)) return close_reason();
  if (explain_end_) return explain_end_();
  return absl::UnavailableError(
      absl::StrCat(peer_.description, " closed the connection",
                   received_.unfinished().empty() ? "" : " in the middle of a frame"));
}

void StreamTransport::End(const absl::Status& reason) {
  ended_.store(true, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  sleep_ = Sleep::kNone;  // this thread was the one
  SetCloseReason(reason);
}

// Sends what can be sent at once and closes the sending half, so that the peer sees
// the end.
void StreamTransport::SetCloseReason(const absl::Status& reason) {
  if (!close_reason_.ok()) return;
  close_reason_ = reason;
  if (!writing_) WriteQueued();  // else the writing thread does so
  if (closing_.is_open()) closing_.Set();
  WakeSleeper();
}

void StreamTransport::Close(const absl::Status& reason) {
  closed_.store(true, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  SetCloseReason(reason);
}

void StreamTransport::Interrupt() {
  MutexLock lock(mutex_);
  interrupted_ = true;
  if (sleep_ != Sleep::kRead) WakeSleeper();
}

void StreamTransport::WakeSleeper() {
  if (sleep_ == Sleep::kPoll || armed_) wake_.Set();
  if (sleep_ != Sleep::kRead) return;
  // The byte lands behind all that the peer sent so far, and nothing behind it is
  // read: the connection is at its end.
  internal::UniqueFd wake_end(sys::OpenWakeEnd(read_fd_.get()));
  char byte = 0;
  struct iovec piece = {&byte, 1};
  if (wake_end.valid()) sys::WriteNoSignal(wake_end.get(), &piece, 1);
}

bool StreamTransport::Arm() {
  MutexLock lock(mutex_);
  if (!close_reason_.ok() || write_failed_ || interrupted_ || !epoll_.valid()) return true;
  bool wants_write = !queue_.empty();
  if (wants_write != epoll_has_write_) {
    int operation = wants_write ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    if (sys::EpollControl(epoll_.get(), operation, write_fd_.get(), EPOLLOUT) != 0) return true;
    epoll_has_write_ = wants_write;
  }
  armed_ = true;
  return false;
}

int StreamTransport::WaitHandle() {
  MutexLock lock(mutex_);
  if (epoll_.valid()) return epoll_.get();
  internal::UniqueFd epoll(sys::EpollCreate());
  if (epoll.valid() && wake_.Open().ok() &&
      sys::EpollControl(epoll.get(), EPOLL_CTL_ADD, read_fd_.get(), EPOLLIN) == 0 &&
      sys::EpollControl(epoll.get(), EPOLL_CTL_ADD, wake_.fd(), EPOLLIN) == 0) {
    epoll_ = std::move(epoll);
  }
  return epoll_.get();
}

absl::Status StreamTransport::close_reason() const {
  MutexLock lock(mutex_);
  return close_reason_;
}

}  // namespace ferry
