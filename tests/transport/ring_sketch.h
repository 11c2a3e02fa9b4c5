// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A sketch of the shared-memory ring, to prove that it fits behind Transport: messages
// are serialized straight into the slots that the other side reads, commits come in
// any order, and a full ring is said with kNoRoom. Both ends are in one process, in
// plain memory, with a condition variable for a doorbell; it is no more than a test.

#ifndef FERRY_TESTS_TRANSPORT_RING_SKETCH_H_
#define FERRY_TESTS_TRANSPORT_RING_SKETCH_H_

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::test {

// What one side writes and the other reads.
struct RingSketchRegion {
  static constexpr uint64_t kSlots = 64;
  static constexpr uint64_t kBytes = 64 * 1024;
  static constexpr size_t kInline = 32;
  static constexpr size_t kLargest = kBytes / 4;  // of one frame

  struct Slot {
    std::atomic<uint64_t> stamp{0};  // index + 1 of the message in it
    FrameHeader header;
    uint64_t payload_begin = 0;
    uint64_t payload_end = 0;
    bool abandoned = false;
    char inline_data[kInline];
  };

  Slot slots[kSlots];
  char payload[kBytes];
  // Written by the reader.
  std::atomic<uint64_t> slots_released{0};
  std::atomic<uint64_t> bytes_released{0};
};

struct RingSketchBell {
  internal::Mutex mutex;
  internal::CondVar rung;
  uint64_t rings ABSL_GUARDED_BY(mutex) = 0;
  bool closed ABSL_GUARDED_BY(mutex) = false;
};

class RingSketch final : public Transport {
 public:
  using Region = RingSketchRegion;

  static std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> CreatePair() {
    auto a = std::make_shared<Region>();
    auto b = std::make_shared<Region>();
    auto bell = std::make_shared<RingSketchBell>();
    return {std::unique_ptr<Transport>(new RingSketch(a, b, bell)),
            std::unique_ptr<Transport>(new RingSketch(b, a, bell))};
  }

  ~RingSketch() override { Close(absl::CancelledError("destroyed")); }

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override {
    if (!close_reason().ok()) return ReserveResult::kClosed;
    internal::MutexLock lock(send_mutex_);
    if (size > Region::kLargest) {
      // Goes through memory of our own, in fragments, as room comes.
      auto* staged = new Staged{header, std::string(size, 0)};
      out = {staged->bytes.data(), size, nullptr};
      reserved_.push_back(std::unique_ptr<Staged>(staged));
      return ReserveResult::kOk;
    }
    Region::Slot* slot = staged_.empty() ? TakeSlot(header, size) : nullptr;
    if (slot == nullptr) return ReserveResult::kNoRoom;
    out = {Place(*out_, *slot), size, slot};
    return ReserveResult::kOk;
  }

  void Commit(Reservation& reservation) override { Publish(reservation, false); }
  void Abandon(Reservation& reservation) override { Publish(reservation, true); }

  void Flush(Deadline) override {
    internal::MutexLock lock(send_mutex_);
    PumpStaged();
  }

  ReadResult TryRead(Frame& frame) override {
    if (HasClosed()) return ReadResult::kClosed;
    for (;;) {
      Region::Slot& slot = in_->slots[head_ % Region::kSlots];
      // Pairs with the release in Stamp.
      if (slot.stamp.load(std::memory_order_acquire) != head_ + 1) break;
      if (!slot.abandoned) {
        frame = {slot.header, Place(*in_, slot)};
        return ReadResult::kFrame;
      }
      ReleaseSlot(slot);
    }
    internal::MutexLock lock(bell_->mutex);
    bool more = in_->slots[head_ % Region::kSlots].stamp.load() == head_ + 1;
    return bell_->closed && !more ? ReadResult::kClosed : ReadResult::kEmpty;
  }

  void Release() override { ReleaseSlot(in_->slots[head_ % Region::kSlots]); }

  bool Poll() override {
    Flush(Deadline::min());
    internal::MutexLock lock(bell_->mutex);
    return in_->slots[head_ % Region::kSlots].stamp.load() == head_ + 1 || bell_->closed;
  }

  void Wait(const WaitOptions& options) override {
    Flush(Deadline::min());
    internal::MutexLock lock(bell_->mutex);
    while (bell_->rings == rings_seen_ && !bell_->closed &&
           !(options.interruptible && interrupted_) && !HasPassed(options.deadline)) {
      bell_->rung.Wait(bell_->mutex, options.deadline);
    }
    rings_seen_ = bell_->rings;
    if (options.interruptible) interrupted_ = false;
  }

  void Interrupt() override {
    internal::MutexLock lock(bell_->mutex);
    interrupted_ = true;
    bell_->rung.NotifyAll();
  }

  bool Arm() override { return true; }
  absl::Status Join(WaitSet&, uint64_t) override { return absl::UnimplementedError(""); }

  void Close(const absl::Status& reason) override {
    internal::MutexLock lock(bell_->mutex);
    if (!bell_->closed) own_reason_ = reason;
    bell_->closed = true;
    bell_->rung.NotifyAll();
  }

  absl::Status close_reason() const override {
    internal::MutexLock lock(bell_->mutex);
    if (!own_reason_.ok()) return own_reason_;
    return bell_->closed ? absl::UnavailableError("the other end closed") : absl::OkStatus();
  }

  const Peer& peer() const override { return peer_; }

 private:
  struct Staged {
    FrameHeader header;
    std::string bytes;
    size_t sent = 0;
  };

  RingSketch(std::shared_ptr<Region> out, std::shared_ptr<Region> in,
             std::shared_ptr<RingSketchBell> bell)
      : out_(std::move(out)), in_(std::move(in)), bell_(std::move(bell)) {}

  bool HasClosed() {
    internal::MutexLock lock(bell_->mutex);
    return !own_reason_.ok();
  }

  static char* Place(Region& region, Region::Slot& slot) {
    return slot.header.length <= Region::kInline
               ? slot.inline_data
               : region.payload + slot.payload_begin % Region::kBytes;
  }

  Region::Slot* TakeSlot(const FrameHeader& header, size_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(send_mutex_) {
    if (tail_ - out_->slots_released.load(std::memory_order_acquire) == Region::kSlots) {
      return nullptr;
    }
    uint64_t begin = payload_tail_;
    uint64_t bytes = size <= Region::kInline ? 0 : size;
    if (begin % Region::kBytes + bytes > Region::kBytes) {
      begin += Region::kBytes - begin % Region::kBytes;  // a message does not wrap
    }
    if (begin + bytes - out_->bytes_released.load(std::memory_order_acquire) > Region::kBytes) {
      return nullptr;
    }
    Region::Slot& slot = out_->slots[tail_++ % Region::kSlots];
    slot.header = header;
    slot.header.length = static_cast<uint32_t>(size);
    slot.payload_begin = begin;
    slot.payload_end = payload_tail_ = begin + bytes;
    return &slot;
  }

  void Publish(Reservation& reservation, bool abandoned) {
    internal::MutexLock lock(send_mutex_);
    auto* slot = static_cast<Region::Slot*>(std::exchange(reservation.slot, nullptr));
    if (slot != nullptr) {
      slot->abandoned = abandoned;
      Stamp(*slot);
      return;
    }
    auto found = std::find_if(reserved_.begin(), reserved_.end(), [&](const auto& staged) {
      return staged->bytes.data() == reservation.data;
    });
    if (!abandoned) staged_.push_back(std::move(*found));
    reserved_.erase(found);
    PumpStaged();
  }

  // The slot knows its index by its place: those before it in the lap may still be open.
  void Stamp(Region::Slot& slot) {
    uint64_t place = static_cast<uint64_t>(&slot - out_->slots);
    uint64_t lap = slot.stamp.load(std::memory_order_relaxed);
    uint64_t index = lap == 0 ? place : lap - 1 + Region::kSlots;
    slot.stamp.store(index + 1, std::memory_order_release);  // pairs with TryRead
    Ring();
  }

  void PumpStaged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(send_mutex_) {
    while (!staged_.empty()) {
      Staged& message = *staged_.front();
      size_t left = message.bytes.size() - message.sent;
      FrameHeader header = message.header;
      if (message.sent == 0) header.flags |= kFlagMore;
      if (message.sent != 0) header = ContinueHeader(header.call, left, Region::kLargest);
      size_t size = std::min(left, Region::kLargest);
      Region::Slot* slot = TakeSlot(header, size);
      if (slot == nullptr) return;
      std::memcpy(Place(*out_, *slot), message.bytes.data() + message.sent, size);
      slot->abandoned = false;
      Stamp(*slot);
      message.sent += size;
      if (message.sent == message.bytes.size()) staged_.pop_front();
    }
  }

  void ReleaseSlot(Region::Slot& slot) {
    uint64_t bytes = slot.payload_end;
    ++head_;
    in_->bytes_released.store(bytes, std::memory_order_release);
    in_->slots_released.store(head_, std::memory_order_release);
    Ring();
  }

  void Ring() {
    internal::MutexLock lock(bell_->mutex);
    ++bell_->rings;
    bell_->rung.NotifyAll();
  }

  const std::shared_ptr<Region> out_;
  const std::shared_ptr<Region> in_;
  const std::shared_ptr<RingSketchBell> bell_;
  const Peer peer_ = {"the other end of a ring", -1};

  uint64_t head_ = 0;        // owned by the reading thread
  uint64_t rings_seen_ = 0;  // owned by the reading thread
  std::atomic<bool> interrupted_{false};
  absl::Status own_reason_ ABSL_GUARDED_BY(bell_->mutex);  // of a Close on this side

  internal::Mutex send_mutex_;
  uint64_t tail_ ABSL_GUARDED_BY(send_mutex_) = 0;
  uint64_t payload_tail_ ABSL_GUARDED_BY(send_mutex_) = 0;
  std::deque<std::unique_ptr<Staged>> reserved_ ABSL_GUARDED_BY(send_mutex_);
  std::deque<std::unique_ptr<Staged>> staged_ ABSL_GUARDED_BY(send_mutex_);
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_TRANSPORT_RING_SKETCH_H_
