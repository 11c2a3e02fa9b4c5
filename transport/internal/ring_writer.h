// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_RING_WRITER_H_
#define FERRY_TRANSPORT_INTERNAL_RING_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "ferry/transport/internal/peer_order.h"
#include "ferry/transport/internal/ring_layout.h"

namespace ferry::internal {

// Writes frames into a region of this process. Slots are taken without a lock, written
// side by side, and may be committed in any order; the peer reads them in theirs.
//
// Thread contract: thread-safe.
class RingWriter {
 public:
  // `region` is all zeros at first.
  RingWriter(char* region, const RingGeometry& geometry);

  // The peer's words are there now. Before that nothing is released, and every commit
  // rings.
  void Attach(const RingControl* peer) {
    peer_.store(peer, std::memory_order_release);  // pairs with the acquire in peer()
  }

  enum class Result {
    kOk,
    kFull,
    kBroken,  // the peer has released what was never sent
  };

  // Takes a slot, and room for a payload of `size` bytes at `data`. `header` is written,
  // but for its length, which is `size`. REQUIRES: size <= geometry().max_frame().
  Result TryReserve(const FrameHeader& header, uint32_t size, RingSlot*& slot, char*& data);

  // Hands the slot to the peer. Answers whether it is to be woken.
  [[nodiscard]] bool Commit(RingSlot* slot);
  // The peer is to pass over it.
  [[nodiscard]] bool Abandon(RingSlot* slot);

  // What the peer is known to have released, before a TryReserve that answers kFull; and
  // after it: asks the peer to ring as soon as that is no longer all. False if it is not
  // already, and TryReserve may succeed. One thread at a time.
  uint64_t released() const { return released_.load(std::memory_order_acquire); }
  bool ArmForRoom(uint64_t released);

  bool owns(const void* data) const { return data >= region_ && data < end_; }
  const RingGeometry& geometry() const { return geometry_; }

 private:
  enum class Fit { kYes, kNo };

  const RingControl* peer() const { return peer_.load(std::memory_order_acquire); }
  RingControl& control() const { return *reinterpret_cast<RingControl*>(region_); }
  Result Refresh(uint64_t seen) ABSL_ATTRIBUTE_NOINLINE;
  Fit Place(RingPosition tail, RingPosition released, uint32_t room, uint32_t& begin) const;

  // Constant after construction.
  char* const region_;
  RingSlot* const slots_;
  char* const ring_;
  char* const end_;
  const RingGeometry geometry_;

  std::atomic<const RingControl*> peer_{nullptr};

  // Where the next frame goes: a RingPosition, as the next. The release of who moves it
  // pairs with the acquire of who reserves next, who sees no older `released_` then.
  alignas(64) std::atomic<uint64_t> tail_{0};
  // What the peer is known to have released: the release of who learned it from the peer
  // pairs with the acquire of who reserves, and may overwrite it.
  std::atomic<uint64_t> released_{0};
  PeerOrder order_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_RING_WRITER_H_
