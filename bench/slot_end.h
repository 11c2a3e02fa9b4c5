// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_END_H_
#define FERRY_BENCH_SLOT_END_H_

#include <cstdint>

#include "slot.h"

namespace ferry::bench {

// One slot for each direction.
struct Slots {
  Slot request;
  Slot reply;
};

// What either process does with the slots. Both ends take turns, and wait by polling.
// Thread contract: owned by one thread.
class SlotEnd {
 public:
  // In place of a size: after this, an end goes to sleep.
  static constexpr uint32_t kEndOfBlock = UINT32_MAX;

  // `peer` hangs up when the other process ends. The slots outlive this end.
  SlotEnd(const Slot& in, Slot& out, int peer) : in_(in), out_(out), peer_(peer) {}

  // Hands over a header alone.
  void Publish(uint32_t size) { out_.Publish(++published_, size); }

  // Waits for the other end to publish. False if it never will.
  bool Await() {
    uint32_t wanted = ++awaited_;
    auto is_here = [&] { return in_.sequence.load(std::memory_order_acquire) == wanted; };
    if (!PollUntil(is_here, peer_)) return false;
    size_ = in_.size;
    return true;
  }

  // What the header says that Await has found.
  uint32_t size() const { return size_; }

  // False for a message that does not fit.
  bool Put(const EchoMessage& message) { return out_.Put(message, ++published_); }

  // What Await has found.
  bool Take(EchoMessage& message) { return copy_.Take(in_, size_, message); }

 private:
  const Slot& in_;
  Slot& out_;
  const int peer_;
  uint32_t published_ = 0;
  uint32_t awaited_ = 0;
  uint32_t size_ = 0;
  SlotCopy copy_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_END_H_
