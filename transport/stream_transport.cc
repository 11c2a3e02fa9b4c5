// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/stream_transport.h"

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

// How often a writer beside a sleeping reader looks whether it is awake, or the connection
// at its end.
constexpr absl::Duration kLookAgain = absl::Milliseconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<StreamTransport>> StreamTransport::Create(
    internal::UniqueFd read_fd, internal::UniqueFd write_fd, internal::WriteEnd::Sharing sharing,
    Peer peer, std::shared_ptr<PeerProcess> process) {
  absl::StatusOr<internal::WriteEnd> write_end =
      internal::WriteEnd::Create(std::move(write_fd), sharing);
  if (!write_end.ok()) return write_end.status();
  return std::unique_ptr<StreamTransport>(new StreamTransport(internal::ReadEnd(std::move(read_fd)),
                                                              *std::move(write_end),
                                                              std::move(peer), std::move(process)));
}

std::unique_ptr<StreamTransport> StreamTransport::OnSocket(internal::UniqueFd socket, Peer peer,
                                                           std::shared_ptr<PeerProcess> process) {
  internal::WriteEnd write_end = internal::WriteEnd::OnSocket(socket.get());
  return std::unique_ptr<StreamTransport>(new StreamTransport(internal::ReadEnd(std::move(socket)),
                                                              std::move(write_end), std::move(peer),
                                                              std::move(process)));
}

StreamTransport::StreamTransport(internal::ReadEnd read_end, internal::WriteEnd write_end,
                                 Peer peer, std::shared_ptr<PeerProcess> process)
    : peer_(std::move(peer)),
      process_(std::move(process)),
      writer_(std::move(write_end)),
      read_end_(std::move(read_end)),
      may_sleep_in_read_(read_end_.can_sleep()) {
  if (process_ == nullptr || !may_sleep_in_read_) return;
  // Polls see the process's descriptor; a sleep in read(2) has to be woken, by a thread
  // that can wake no socket.
  may_sleep_in_read_ = false;
  if (read_end_.is_socket()) return;
  auto watch = internal::ProcessWatch::Start(process_->pid_fd(), absl::ZeroDuration(),
                                             [this] { OnProcessEnded(); });
  may_sleep_in_read_ = watch.ok();
  if (watch.ok()) process_watch_ = *std::move(watch);
}

StreamTransport::~StreamTransport() {
  {
    MutexLock lock(mutex_);
    LeaveSet();  // closing would do, were it not for processes that share the descriptors
  }
  writer_.Close();
}

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
  if (writer_.queued() > max_queued()) may_not_read_.store(true);
  Sleep how = sleep_.load();
  if (how == Sleep::kRead && !writer_.failed()) {
    WriteBeside(deadline);
  } else if (how == Sleep::kPoll || set_ == nullptr || writer_.failed() || !WatchForRoom()) {
    WakeSleeper();  // it will see the end, or wait for room, too
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
  if (may_not_read_.load(std::memory_order_acquire) && MayNotRead()) {
    return closed_.load() ? ReadResult::kClosed : ReadResult::kEmpty;
  }
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

// Whoever closes or finds too much queued says so behind it, and before that, here, it is
// forgotten: all sequentially consistent.
bool StreamTransport::MayNotRead() {
  may_not_read_.store(false);
  held_back_ = MustHoldBack();
  if (held_back_ || closed_.load()) may_not_read_.store(true);
  return held_back_ || closed_.load();
}

// As read(2), into `received_`. ENOBUFS: it is full of frames that nobody has taken.
ssize_t StreamTransport::ReadMore(ReadMode mode) {
  internal::ReceiveBuffer::Room room = received_.PrepareRead();
  if (room.size == 0) errno = ENOBUFS;
  if (room.size == 0) return -1;
  ssize_t got = mode == ReadMode::kMaySleep ? read_end_.Read(room.data, room.size)
                                            : read_end_.ReadNow(room.data, room.size);
  if (got > 0) received_.Received(static_cast<size_t>(got));
  return got;
}

void StreamTransport::ReadOnce(ReadMode mode) {
  ssize_t got = ReadMore(mode);
  if (got > 0) {
    TookIn();
    return;
  }
  if (got < 0 && (errno == EINTR || errno == ENOBUFS)) return;
  if (got < 0 && errno == EAGAIN) {
    may_sleep_in_read_ = may_sleep_in_read_ && read_end_.can_sleep();
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
    if (received == Received::kDropped) {
      closed_.store(true);
      may_not_read_.store(true);
    }
    if (!first) return;
    closing_.store(true);
    LeaveSet();
  }
  writer_.Close();
  WakeSleeper();
}

void StreamTransport::Close(const absl::Status& reason) {
  SetCloseReason(reason, Received::kDropped);
}

// Its own end of the peer's process where that is known: others may hold the pipes.
Transport::EndSign StreamTransport::end_sign() const {
  if (process_ != nullptr) return {process_->pid_fd(), true};
  return {read_end_.fd(), false};
}

absl::Status StreamTransport::close_reason() const {
  MutexLock lock(mutex_);
  return close_reason_;
}

}  // namespace ferry
