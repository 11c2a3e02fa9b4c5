// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_RING_READER_H_
#define FERRY_TRANSPORT_INTERNAL_RING_READER_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "ferry/transport/internal/private_copy.h"
#include "ferry/transport/internal/ring_layout.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Reads frames from the peer's region, which the peer may change at any time: each word is
// read once, into memory of our own, and judged there. What is wrong ends the connection,
// and can do no more.
//
// Thread contract: thread-compatible.
class RingReader {
 public:
  enum class Trust : bool {
    kNo,   // payloads are copied before they are handed out
    kYes,  // they are handed out where they lie
  };

  // `own` has the words by which this process tells the peer how far it has read.
  RingReader(RingControl* own, Trust trust) : own_(*own), trust_(trust) {}

  // `region` is the peer's, and has `geometry`, which is valid.
  void Attach(const char* region, const RingGeometry& geometry);
  bool attached() const { return slots_ != nullptr; }

  enum class Next { kFrame, kEmpty, kBroken };

  // Hands out the next frame if it has been committed. REQUIRES: attached, none is out.
  Next TryNext(Frame& frame);

  // Gives the frame back, and tells the peer now and then. Answers whether that is to be
  // woken.
  [[nodiscard]] bool Release();

  // Whether TryNext may find something.
  bool HasNext() const {
    // Pairs with the store in RingWriter::Commit, as in TryNext.
    return attached() &&
           RingSlot::StampOf(Slot().words[0].load(std::memory_order_acquire)) != StaleStamp();
  }

  // Tells the peer how far it has been read. Answers whether that is to be woken.
  [[nodiscard]] bool Publish();

  // Before a sleep and after Publish: asks the peer to ring for the next frame; false if
  // that is there already.
  bool Arm();

  // Why TryNext answered kBroken.
  absl::Status WhatIsBroken() const ABSL_ATTRIBUTE_COLD;

 private:
  const RingSlot& Slot() const { return slots_[head_.slot & (geometry_.slots - 1)]; }
  // What the stamp of a slot is before the next frame is in it.
  uint32_t StaleStamp() const { return in_first_lap_ ? 0 : head_.slot + 1 - geometry_.slots; }
  void Advance();
  bool HasReadMuch() const;
  bool FindPayload(Frame& frame);
  Next Judge(Frame& frame);

  RingControl& own_;
  const Trust trust_;

  // Constant since Attach.
  const RingControl* peer_ = nullptr;
  const RingSlot* slots_ = nullptr;
  const char* ring_ = nullptr;
  RingGeometry geometry_;

  RingPosition head_;       // of what is read next
  uint32_t next_byte_ = 0;  // where the frame that is out ends
  bool in_first_lap_ = true;
  RingPosition published_;
  bool owes_ring_ = false;  // the peer, since what TryNext has published
  uint64_t slot_[8];        // of the frame that is out
  PrivateCopy copy_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_RING_READER_H_
