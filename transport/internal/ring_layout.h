// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What two processes share: a region for each direction, written by the process that
// sends in it and by nobody else. docs/shm_ring.md has the whole argument.
//
//   0        4096                                  page
//   | control | slot slot slot …                   | ring of payloads … |
//
//   slot      0      4        8     28          64
//             | stamp| length | the | payload    |   of up to 36 bytes, or else its end in
//             | u32  | u32    | 20  |            |   the ring, u32
//
// The bytes 4 to 28 of a slot are the frame's header as on a byte stream. The stamp is
// the message's index + 1; it is written last, and is another one in every lap.

#ifndef FERRY_TRANSPORT_INTERNAL_RING_LAYOUT_H_
#define FERRY_TRANSPORT_INTERNAL_RING_LAYOUT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ferry/proto/frame.h"

namespace ferry::internal {

static_assert(std::atomic<uint64_t>::is_always_lock_free);

// The words by which a process tells the peer how it reads. 128 bytes apart: processors
// fetch cache lines in pairs.
struct RingControl {
  // Neither the index of a slot nor a RingPosition.
  static constexpr uint64_t kNever = ~uint64_t{0};

  char unused[128];
  // How far it has read the peer's region: a RingPosition.
  alignas(128) std::atomic<uint64_t> released;
  // "Ring when you commit the slot of this index."
  alignas(128) std::atomic<uint64_t> wake_at_slot;
  // "Ring when your `released` is no longer this."
  alignas(128) std::atomic<uint64_t> wake_after_release;
};
static_assert(offsetof(RingControl, released) == 128 &&
              offsetof(RingControl, wake_after_release) == 384);

struct alignas(64) RingSlot {
  static constexpr size_t kHeader = 4;  // where the encoded header begins, with the length
  static constexpr size_t kPayload = kHeader + kFrameHeaderSize;
  static constexpr size_t kInline = 64 - kPayload;

  // In the length: there is no frame, pass on.
  static constexpr uint32_t kAbandoned = uint32_t{1} << 31;

  // Of the first word.
  static constexpr uint32_t StampOf(uint64_t commit) { return static_cast<uint32_t>(commit); }
  static constexpr uint64_t Commit(uint32_t stamp, uint32_t length) {
    return stamp | uint64_t{length} << 32;
  }

  char* bytes() { return reinterpret_cast<char*>(words); }

  std::atomic<uint64_t> words[8];
};
static_assert(sizeof(RingSlot) == 64);

// How far a region has been written or read. Slots count on and wrap at 2^32. Bytes run
// through the ring twice before they start over, so that a full ring is not an empty one.
struct RingPosition {
  uint32_t slot = 0;
  uint32_t byte = 0;

  static RingPosition Unpack(uint64_t word) {
    return {static_cast<uint32_t>(word), static_cast<uint32_t>(word >> 32)};
  }
  uint64_t Pack() const { return slot | uint64_t{byte} << 32; }
};

// The sizes of a region. Each end keeps those of both, and believes no others.
struct RingGeometry {
  static constexpr size_t kPage = 4096;
  static constexpr size_t kMinRing = kPage;
  static constexpr size_t kMaxRing = size_t{64} << 20;
  static constexpr uint32_t kMaxRingFrame = uint32_t{1} << 20;

  uint32_t ring = 0;   // bytes of payloads: whole pages
  uint32_t slots = 0;  // a power of two

  // For a ring of at least so many bytes. REQUIRES: kMinRing <= bytes <= kMaxRing.
  static RingGeometry For(size_t bytes);

  // Whether a peer may have it.
  bool IsValid() const;

  size_t slots_at() const { return kPage; }
  size_t ring_at() const { return kPage + (slots * sizeof(RingSlot) + kPage - 1) / kPage * kPage; }
  size_t size() const { return ring_at() + ring; }

  // The largest payload of one frame: a few are to be under way at once, and who reads does
  // not take more than that in on the word of its peer.
  uint32_t max_frame() const { return ring / 4 < kMaxRingFrame ? ring / 4 : kMaxRingFrame; }

  // Where byte positions lead, and the way between two of them.
  uint32_t OffsetOf(uint32_t byte) const { return byte >= ring ? byte - ring : byte; }
  uint32_t Advance(uint32_t byte, uint32_t by) const {
    uint32_t sum = byte + by;
    return sum >= 2 * ring ? sum - 2 * ring : sum;
  }
  uint32_t Distance(uint32_t from, uint32_t to) const {
    return to >= from ? to - from : to + 2 * ring - from;
  }
  // What a payload takes in the ring: whole cache lines, that it shares with no other.
  static uint32_t Room(uint32_t payload) {
    return payload <= RingSlot::kInline ? 0 : (payload + 63) / 64 * 64;
  }
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_RING_LAYOUT_H_
