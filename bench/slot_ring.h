// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_RING_H_
#define FERRY_BENCH_SLOT_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "slot.h"

namespace ferry::bench {

// Slots for a producer that runs ahead of the consumer. Zeros are the initial state.
struct SlotRing {
  static constexpr uint32_t kSlots = 64;

  Slot slots[kSlots];
  alignas(Slot::kLine) std::atomic<uint32_t> taken;  // how many messages
};

// What either process does with a ring: put messages for a while, or take them, so that
// when all are taken the other one may begin. Thread contract: owned by one thread.
class SlotRingEnd {
 public:
  // `peer` hangs up when the other process ends. The ring outlives this end.
  SlotRingEnd(SlotRing& ring, int peer) : ring_(ring), peer_(peer) {}

  // Before the first message of a stream. Uses so many of the slots, which is the same for
  // both ends; a power of two, so that the numbers of messages may wrap.
  void Begin(uint32_t slots, SlotWait wait) {
    slots_ = slots;
    wait_ = wait;
  }

  // Those below wait for the other end, and answer false if it is gone or the message is none.

  bool Put(const EchoMessage& message) {
    if (next_ - taken_ >= slots_ && !AwaitTaken(next_ - slots_ / 2)) return false;
    Slot& slot = ring_.slots[next_ % slots_];
    return slot.Put(message, ++next_);
  }

  // Until all that was put is taken.
  bool AwaitEmpty() { return AwaitTaken(next_); }

  bool Take(EchoMessage& message) {
    const Slot& slot = ring_.slots[next_ % slots_];
    uint32_t wanted = next_ + 1;
    auto is_here = [&] { return slot.sequence.load(std::memory_order_acquire) == wanted; };
    if (!PollUntil(is_here, peer_, wait_)) return false;
    if (!copy_.Take(slot, slot.size, message)) return false;
    next_ = wanted;
    // Not each time, as it costs the producer a cache miss.
    if (next_ % (slots_ / 2) == 0) ShowTaken();
    return true;
  }

  // After the last message of a stream.
  void ShowTaken() { ring_.taken.store(next_, std::memory_order_release); }

 private:
  // At least `count` of all messages. These numbers wrap.
  bool AwaitTaken(uint32_t count) {
    auto are_taken = [&] {
      taken_ = ring_.taken.load(std::memory_order_acquire);
      return static_cast<int32_t>(taken_ - count) >= 0;
    };
    return PollUntil(are_taken, peer_, wait_);
  }

  SlotRing& ring_;
  const int peer_;
  uint32_t slots_ = SlotRing::kSlots;
  SlotWait wait_ = SlotWait::kPolling;
  uint32_t next_ = 0;   // to be put or taken
  uint32_t taken_ = 0;  // as last seen
  SlotCopy copy_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_RING_H_
