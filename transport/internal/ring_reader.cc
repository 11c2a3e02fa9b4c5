// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/ring_reader.h"

#include <cstring>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/usual_frame.h"

namespace ferry::internal {

void RingReader::Attach(const char* region, const RingGeometry& geometry) {
  geometry_ = geometry;
  peer_ = reinterpret_cast<const RingControl*>(region);
  ring_ = region + geometry.ring_at();
  slots_ = reinterpret_cast<const RingSlot*>(region + geometry.slots_at());
}

RingReader::Next RingReader::TryNext(Frame& frame) {
  // A peer that abandons slot after slot gets no more than a lap at a time.
  for (uint32_t passed = 0; passed < geometry_.slots; ++passed) {
    const RingSlot& slot = Slot();
    // Pairs with the store in RingWriter::Commit.
    slot_[0] = slot.words[0].load(std::memory_order_acquire);
    uint32_t stamp = RingSlot::StampOf(slot_[0]);
    if (stamp != head_.slot + 1) return stamp == StaleStamp() ? Next::kEmpty : Next::kBroken;
    for (int i = 1; i < 8; ++i) slot_[i] = slot.words[i].load(std::memory_order_relaxed);
    const char* bytes = reinterpret_cast<const char*>(slot_);
    frame.header = DecodeFrameHeader(bytes + RingSlot::kHeader);
    bool abandoned = (frame.header.length & RingSlot::kAbandoned) != 0;
    frame.header.length &= ~RingSlot::kAbandoned;
    if (frame.header.length <= RingSlot::kInline) {
      frame.payload = bytes + RingSlot::kPayload;
      next_byte_ = head_.byte;
    } else if (!FindPayload(frame)) {
      return Next::kBroken;
    }
    if (ABSL_PREDICT_TRUE(!abandoned)) return Judge(frame);
    Advance();
    if (HasReadMuch()) owes_ring_ = Publish();
  }
  return Next::kEmpty;
}

// False if it is not within the ring. Where it ends is told back to the peer, and nothing
// else is done with it.
bool RingReader::FindPayload(Frame& frame) {
  const uint32_t length = frame.header.length;
  const char* bytes = reinterpret_cast<const char*>(slot_);
  std::memcpy(&next_byte_, bytes + RingSlot::kPayload, sizeof(next_byte_));
  if (length > geometry_.max_frame() || next_byte_ >= 2 * geometry_.ring) return false;
  uint32_t room = RingGeometry::Room(length);
  uint32_t offset = geometry_.OffsetOf(geometry_.Advance(next_byte_, 2 * geometry_.ring - room));
  if (offset + room > geometry_.ring) return false;
  frame.payload = ring_ + offset;
  return true;
}

RingReader::Next RingReader::Judge(Frame& frame) {
  const size_t max_frame = geometry_.max_frame();
  if (!IsUsualFrame(frame.header, max_frame) &&
      !ValidateFrameHeader(frame.header, max_frame).ok()) {
    return Next::kBroken;
  }
  if (frame.header.length > RingSlot::kInline && trust_ == Trust::kNo) {
    frame.payload = copy_.Of(frame.payload, frame.header.length);
  }
  return Next::kFrame;
}

void RingReader::Advance() {
  head_.byte = next_byte_;
  if (++head_.slot == geometry_.slots) in_first_lap_ = false;
}

bool RingReader::Release() {
  copy_.Release();
  Advance();
  return (HasReadMuch() || owes_ring_) && Publish();
}

bool RingReader::HasReadMuch() const {
  return head_.slot - published_.slot >= geometry_.slots / 4 ||
         geometry_.Distance(published_.byte, head_.byte) >= geometry_.max_frame();
}

bool RingReader::Publish() {
  uint64_t before = published_.Pack();
  bool owed = std::exchange(owes_ring_, false);
  if (before == head_.Pack()) return owed;
  published_ = head_;
  // Sequentially consistent, against the peer that asks to be woken, then looks what is
  // released; and a release, with the acquire in RingWriter::Refresh: what was read may be
  // overwritten.
  own_.released.store(head_.Pack());
  return peer_->wake_after_release.load() == before || owed;
}

bool RingReader::Arm() {
  own_.wake_at_slot.store(head_.slot);
  // Sequentially consistent both, against RingWriter::Commit.
  return RingSlot::StampOf(Slot().words[0].load()) == StaleStamp();
}

absl::Status RingReader::WhatIsBroken() const {
  uint32_t stamp = RingSlot::StampOf(slot_[0]);
  if (stamp != head_.slot + 1) {
    return absl::DataLossError(
        absl::StrCat("broken ring: slot ", head_.slot & (geometry_.slots - 1), " has stamp ", stamp,
                     ", expected ", head_.slot + 1, " or ", StaleStamp()));
  }
  FrameHeader header = DecodeFrameHeader(reinterpret_cast<const char*>(slot_) + RingSlot::kHeader);
  header.length &= ~RingSlot::kAbandoned;
  absl::Status valid = ValidateFrameHeader(header, geometry_.max_frame());
  if (!valid.ok()) return valid;
  return absl::DataLossError(absl::StrCat("broken ring: a payload of ", header.length,
                                          " bytes ends at ", next_byte_, " of ",
                                          2 * geometry_.ring));
}

}  // namespace ferry::internal
