// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/shm_transport.h"

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/byte_size.h"

namespace ferry {

using internal::Block;
using internal::MutexLock;
using internal::RingControl;
using internal::RingGeometry;
using internal::RingReader;
using internal::RingRegion;
using internal::RingSlot;
using internal::RingWriter;
using internal::SendQueue;

namespace {

Peer WithRing(Peer peer, const RingGeometry& geometry) {
  absl::StrAppend(&peer.description, " [ring=", internal::FormatByteSize(geometry.ring), "]");
  return peer;
}

}  // namespace

absl::StatusOr<ShmTransport::Outgoing> ShmTransport::MakeOutgoing(const ShmOptions& options) {
  if (options.ring == 0 || options.ring > RingGeometry::kMaxRing) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ring of ", options.ring, " bytes, expected 1 to ", RingGeometry::kMaxRing));
  }
  Outgoing outgoing;
  outgoing.geometry = RingGeometry::For(options.ring);
  absl::StatusOr<RingRegion> region = RingRegion::Create(outgoing.geometry, outgoing.memory);
  if (!region.ok()) return region.status();
  outgoing.region = *std::move(region);
  return outgoing;
}

absl::StatusOr<std::unique_ptr<ShmTransport>> ShmTransport::Create(
    internal::UniqueFd socket, Outgoing outgoing, const ShmOptions& options, Peer peer,
    std::shared_ptr<PeerProcess> process) {
  internal::UniqueFd memory = std::move(outgoing.memory);
  std::unique_ptr<ShmTransport> transport(new ShmTransport(
      std::move(socket), std::move(outgoing), options, std::move(peer), std::move(process)));
  absl::Status greeted = transport->socket_.Greet(transport->writer_.geometry(), std::move(memory));
  // Of a peer that is gone the reader says why, which may be a refusal, or how it has ended.
  if (!greeted.ok() && !absl::IsUnavailable(greeted)) return greeted;
  return transport;
}

ShmTransport::ShmTransport(internal::UniqueFd socket, Outgoing outgoing, const ShmOptions& options,
                           Peer peer, std::shared_ptr<PeerProcess> process)
    : peer_(WithRing(std::move(peer), outgoing.geometry)),
      process_(std::move(process)),
      own_region_(std::move(outgoing.region)),
      writer_(own_region_.data(), outgoing.geometry),
      socket_(std::move(socket)),
      backlog_(pool_, outgoing.geometry.max_frame()),
      reader_(reinterpret_cast<RingControl*>(own_region_.data()),
              options.trusted ? RingReader::Trust::kYes : RingReader::Trust::kNo) {}

ShmTransport::~ShmTransport() {
  LeaveSet();
  socket_.Shutdown();
}

ReserveResult ShmTransport::Reserve(const FrameHeader& header, size_t size, Reservation& out) {
  if (closing_.load(std::memory_order_relaxed)) return ReserveResult::kClosed;
  if (size <= writer_.geometry().max_frame() && !has_backlog_.load(std::memory_order_relaxed)) {
    RingSlot* slot;
    char* data;
    switch (writer_.TryReserve(header, static_cast<uint32_t>(size), slot, data)) {
      case RingWriter::Result::kOk:
        out = {data, size, slot};
        return ReserveResult::kOk;
      case RingWriter::Result::kFull:
        break;
      case RingWriter::Result::kBroken:
        SetCloseReason(BadRelease(), Received::kDropped);
        return ReserveResult::kClosed;
    }
  }
  Stage(header, size, out);
  return ReserveResult::kOk;
}

void ShmTransport::Stage(const FrameHeader& header, size_t size, Reservation& out) {
  Block* block = pool_.Take(header, size);
  out = {block->payload(), size, block};
}

void ShmTransport::Commit(Reservation& reservation) {
  void* slot = std::exchange(reservation.slot, nullptr);
  if (writer_.owns(slot)) {
    if (writer_.Commit(static_cast<RingSlot*>(slot))) socket_.Ring();
    return;
  }
  {
    MutexLock lock(backlog_mutex_);
    backlog_.Commit(static_cast<Block*>(slot));
    has_backlog_.store(true);
  }
  Pump(WhenFull::kArm);
}

void ShmTransport::Abandon(Reservation& reservation) {
  void* slot = std::exchange(reservation.slot, nullptr);
  if (!writer_.owns(slot)) {
    pool_.Give(static_cast<Block*>(slot));
  } else if (writer_.Abandon(static_cast<RingSlot*>(slot))) {
    socket_.Ring();
  }
}

void ShmTransport::Flush(Deadline) {
  if (has_backlog_.load()) Pump(WhenFull::kArm);
}

size_t ShmTransport::queued() const {
  if (!has_backlog_.load()) return 0;
  MutexLock lock(backlog_mutex_);
  return backlog_.memory();
}

// Moves the backlog into the ring, as far as there is room.
bool ShmTransport::Pump(WhenFull when_full) {
  bool moved = PumpAll(when_full);
  if (moved) WakeIfHeldBack();
  return moved;
}

bool ShmTransport::PumpAll(WhenFull when_full) {
  bool moved = false;
  {
    MutexLock lock(backlog_mutex_);
    Pumped pumped;
    uint64_t released;
    do {
      released = writer_.released();
      pumped = PumpWhatFits(moved);
    } while (pumped == Pumped::kFull && when_full == WhenFull::kArm &&
             !writer_.ArmForRoom(released));
    if (pumped == Pumped::kFull) return moved;
    backlog_.Clear();
    has_backlog_.store(false);
    if (pumped == Pumped::kAll) return moved;
  }
  SetCloseReason(BadRelease(), Received::kDropped);
  return moved;
}

ShmTransport::Pumped ShmTransport::PumpWhatFits(bool& moved) {
  struct iovec frames[SendQueue::kMaxPieces];
  while (!backlog_.empty() && !closing_.load(std::memory_order_relaxed)) {
    int count = backlog_.Gather(frames);
    for (int i = 0; i < count; ++i) {
      const char* frame = static_cast<const char*>(frames[i].iov_base);
      FrameHeader header = DecodeFrameHeader(frame);
      RingSlot* slot;
      char* data;
      switch (writer_.TryReserve(header, header.length, slot, data)) {
        case RingWriter::Result::kOk:
          break;
        case RingWriter::Result::kFull:
          return Pumped::kFull;
        case RingWriter::Result::kBroken:
          return Pumped::kBroken;
      }
      std::memcpy(data, frame + kFrameHeaderSize, header.length);
      if (writer_.Commit(slot)) socket_.Ring();
      backlog_.Consume(frames[i].iov_len);
      moved = true;
    }
  }
  return Pumped::kAll;
}

ReadResult ShmTransport::TryRead(Frame& frame) {
  if (closed_.load(std::memory_order_acquire)) return ReadResult::kClosed;
  if (has_backlog_.load(std::memory_order_relaxed) && IsHeldBack()) return ReadResult::kEmpty;
  if (reader_.attached() && (!ended_ || left_after_end_ != 0)) {
    switch (reader_.TryNext(frame)) {
      case RingReader::Next::kFrame:
        if (ended_) --left_after_end_;  // another process could go on writing
        return ReadResult::kFrame;
      case RingReader::Next::kBroken:
        End(reader_.WhatIsBroken());
        break;
      case RingReader::Next::kEmpty:
        break;
    }
  }
  if (!ended_) return ReadResult::kEmpty;
  left_after_end_ = 0;  // for good, whatever it writes then
  return ReadResult::kClosed;
}

void ShmTransport::Release() {
  if (reader_.Release()) socket_.Ring();
}

absl::Status ShmTransport::BadRelease() {
  return absl::DataLossError("broken ring: the peer has released what was never sent");
}

absl::Status ShmTransport::ReasonOfEnd() const {
  if (closing_.load()) return close_reason();
  if (process_ != nullptr) return process_->ExplainEnd(deadline_);
  return absl::UnavailableError(absl::StrCat(peer_.description, " closed the connection"));
}

void ShmTransport::End(const absl::Status& reason) {
  if (!ended_) left_after_end_ = socket_.peer_geometry().slots;
  ended_ = true;
  sleep_.store(Sleep::kNone, std::memory_order_relaxed);  // this thread was the one
  SetCloseReason(reason, Received::kCounts);
}

void ShmTransport::SetCloseReason(const absl::Status& reason, Received received) {
  {
    MutexLock lock(mutex_);
    bool first = close_reason_.ok();
    if (first) close_reason_ = reason;
    // Pairs with the acquire in TryRead: who sees kClosed finds the reason.
    if (received == Received::kDropped) closed_.store(true, std::memory_order_release);
    if (!first) return;
    closing_.store(true);
    LeaveSet();
  }
  socket_.Shutdown();  // the peer still reads what is in the ring
  WakeSleeper();
}

void ShmTransport::Close(const absl::Status& reason) { SetCloseReason(reason, Received::kDropped); }

// The peer's process where that is known: others may hold its socket.
Transport::EndSign ShmTransport::end_sign() const {
  if (process_ != nullptr) return {process_->pid_fd(), true};
  return {socket_.fd(), false};
}

absl::Status ShmTransport::close_reason() const {
  MutexLock lock(mutex_);
  return close_reason_;
}

}  // namespace ferry
