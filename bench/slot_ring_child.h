// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_RING_CHILD_H_
#define FERRY_BENCH_SLOT_RING_CHILD_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "floor_child.h"
#include "slot_ring.h"
#include "stream_direction.h"

namespace ferry::bench {

// A child and the ring that it shares with this process. It sleeps between streams.
// Thread contract: thread-compatible.
class SlotRingChild {
 public:
  // What a stream is to be.
  struct Order {
    StreamDirection direction;
    SlotWait wait;  // of both sides
    int messages;
    size_t payload;
  };

  static absl::StatusOr<std::unique_ptr<SlotRingChild>> Start();
  SlotRingChild(const SlotRingChild&) = delete;
  SlotRingChild& operator=(const SlotRingChild&) = delete;
  ~SlotRingChild();

  const FloorChild& process() const { return *process_; }
  SlotRingEnd& end() { return end_; }

  // Has the child do its side of a stream. REQUIRES: this side of the last one is done.
  absl::Status Begin(const Order& order);

 private:
  SlotRingChild(std::unique_ptr<FloorChild> process, SlotRing* ring)
      : process_(std::move(process)), ring_(ring), end_(*ring, process_->from()) {}

  const std::unique_ptr<FloorChild> process_;
  SlotRing* const ring_;  // ours to unmap
  SlotRingEnd end_;
};

// Either side of a stream. Return when all is taken; false if the other process is gone.
bool PutStream(SlotRingEnd& end, const SlotRingChild::Order& order, const EchoMessage& message);
bool TakeStream(SlotRingEnd& end, const SlotRingChild::Order& order, EchoMessage& message);

// The child: does its side of streams in the ring of the file `shared` as `in` tells,
// until `in` ends.
void ServeSlotRing(int in, int shared);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_RING_CHILD_H_
