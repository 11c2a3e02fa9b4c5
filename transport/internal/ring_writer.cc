// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/ring_writer.h"

#include <cstring>

namespace ferry::internal {

RingWriter::RingWriter(char* region, const RingGeometry& geometry)
    : region_(region),
      slots_(reinterpret_cast<RingSlot*>(region + geometry.slots_at())),
      ring_(region + geometry.ring_at()),
      end_(region + geometry.size()),
      geometry_(geometry) {
  // Relaxed: the peer gets the region later.
  control().wake_at_slot.store(RingControl::kNever, std::memory_order_relaxed);
  control().wake_after_release.store(RingControl::kNever, std::memory_order_relaxed);
}

// A payload does not wrap: what is left before the end of the ring is skipped.
RingWriter::Fit RingWriter::Place(RingPosition tail, RingPosition released, uint32_t room,
                                  uint32_t& begin) const {
  if (tail.slot - released.slot == geometry_.slots) return Fit::kNo;
  if (room == 0) return Fit::kYes;
  uint32_t offset = geometry_.OffsetOf(tail.byte);
  uint32_t skipped = offset + room <= geometry_.ring ? 0 : geometry_.ring - offset;
  uint32_t used = geometry_.Distance(released.byte, tail.byte);
  begin = geometry_.Advance(tail.byte, skipped);
  return used + skipped + room <= geometry_.ring ? Fit::kYes : Fit::kNo;
}

RingWriter::Result RingWriter::TryReserve(const FrameHeader& header, uint32_t size, RingSlot*& slot,
                                          char*& data) {
  const uint32_t room = RingGeometry::Room(size);
  RingPosition tail;
  uint32_t begin = 0;
  for (;;) {
    // In this order, or what was released could seem to be further back than the ring is
    // long.
    uint64_t tail_word = tail_.load(std::memory_order_acquire);
    uint64_t released = released_.load(std::memory_order_acquire);
    tail = RingPosition::Unpack(tail_word);
    if (Place(tail, RingPosition::Unpack(released), room, begin) == Fit::kNo) {
      Result refreshed = Refresh(released);
      // If it has moved, `released` may be ahead of it, and the ring anything but full.
      bool moved = tail_.load(std::memory_order_acquire) != tail_word;
      if (refreshed == Result::kBroken || (refreshed == Result::kFull && !moved)) return refreshed;
      continue;
    }
    uint32_t end = room == 0 ? tail.byte : geometry_.Advance(begin, room);
    if (tail_.compare_exchange_weak(tail_word, RingPosition{tail.slot + 1, end}.Pack(),
                                    std::memory_order_release, std::memory_order_relaxed)) {
      break;
    }
  }

  slot = &slots_[tail.slot & (geometry_.slots - 1)];
  FrameHeader sized = header;
  sized.length = size;
  char encoded[kFrameHeaderSize];
  EncodeFrameHeader(sized, encoded);
  constexpr size_t kBehindLength = sizeof(sized.length);
  std::memcpy(slot->bytes() + RingSlot::kHeader + kBehindLength, encoded + kBehindLength,
              sizeof(encoded) - kBehindLength);
  // The length shares its word with the stamp, which stays that of the last lap. Relaxed: it
  // is Commit that hands it over.
  uint32_t stamp = RingSlot::StampOf(slot->words[0].load(std::memory_order_relaxed));
  slot->words[0].store(RingSlot::Commit(stamp, size), std::memory_order_relaxed);
  data = slot->bytes() + RingSlot::kPayload;
  if (room != 0) {
    uint32_t end = geometry_.Advance(begin, room);
    std::memcpy(data, &end, sizeof(end));
    data = ring_ + geometry_.OffsetOf(begin);
  }
  return Result::kOk;
}

// Learns what the peer has released since `seen`.
RingWriter::Result RingWriter::Refresh(uint64_t seen) {
  const RingControl* control = peer();
  if (control == nullptr) return Result::kFull;
  // Acquire, with the peer's store in RingReader: it has read what we are going to
  // overwrite.
  uint64_t word = control->released.load(std::memory_order_acquire);
  if (word == seen) return Result::kFull;
  order_.After();
  RingPosition now = RingPosition::Unpack(word);
  RingPosition before = RingPosition::Unpack(seen);
  // Loaded after `word`, so that it has all that a peer can honestly have released.
  RingPosition tail = RingPosition::Unpack(tail_.load(std::memory_order_acquire));
  // Others may have gone on meanwhile, round the ring: only from what is the latest even now
  // is it less than that to the tail. (The acquire is with who moved the tail.)
  if (released_.load(std::memory_order_relaxed) != seen) return Result::kOk;
  if (now.slot - before.slot > tail.slot - before.slot || now.byte >= 2 * geometry_.ring ||
      geometry_.Distance(before.byte, now.byte) > geometry_.Distance(before.byte, tail.byte)) {
    return Result::kBroken;
  }
  // Never back to what an earlier look has found.
  released_.compare_exchange_strong(seen, word, std::memory_order_release,
                                    std::memory_order_relaxed);
  return Result::kOk;
}

bool RingWriter::Commit(RingSlot* slot) {
  // The word holds the length, and the stamp of the last lap, from which the index follows.
  uint64_t word = slot->words[0].load(std::memory_order_relaxed);
  uint32_t stamp = RingSlot::StampOf(word);
  stamp = stamp == 0 ? static_cast<uint32_t>(slot - slots_) + 1 : stamp + geometry_.slots;
  order_.Before();
  // Sequentially consistent, against the peer that says where to wake it, then looks for
  // the stamp: one of the two sees the other.
  slot->words[0].store(RingSlot::Commit(stamp, static_cast<uint32_t>(word >> 32)));
  const RingControl* control = peer();
  return control == nullptr || control->wake_at_slot.load() == stamp - 1;
}

bool RingWriter::Abandon(RingSlot* slot) {
  uint64_t word = slot->words[0].load(std::memory_order_relaxed);
  slot->words[0].store(word | RingSlot::Commit(0, RingSlot::kAbandoned), std::memory_order_relaxed);
  return Commit(slot);
}

bool RingWriter::ArmForRoom(uint64_t released) {
  const RingControl* control = peer();
  if (control == nullptr) return true;  // to be attached is to be woken
  // Sequentially consistent, against the peer that releases, then looks whether to ring.
  this->control().wake_after_release.store(released);
  return control->released.load() == released;
}

}  // namespace ferry::internal
