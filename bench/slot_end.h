// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_END_H_
#define FERRY_BENCH_SLOT_END_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "echo.pb.h"

namespace ferry::bench {

// One direction: memory of two processes that holds one message at a time. The first
// cache line has the header and as much of the message as fits.
struct Slot {
  static constexpr size_t kLine = 64;
  static constexpr size_t kCapacity = (size_t{1} << 20) + 4096 - 2 * sizeof(uint32_t);

  alignas(kLine) std::atomic<uint32_t> sequence;  // of the message that is here
  uint32_t size;
  uint8_t bytes[kCapacity];
};

// Both directions; zeros are the initial state.
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
  void Publish(uint32_t size) {
    out_.size = size;
    out_.sequence.store(++published_, std::memory_order_release);
  }

  // Waits for the other end to publish. False if it never will.
  bool Await() {
    uint32_t wanted = ++awaited_;
    do {
      for (int i = 0; i < kPolls; ++i) {
        if (in_.sequence.load(std::memory_order_acquire) == wanted) {
          size_ = in_.size;
          return true;
        }
        Pause();
      }
    } while (PeerIsThere());
    return false;
  }

  // What the header says that Await has found.
  uint32_t size() const { return size_; }

  // Serializes in place, then publishes. False for a message that does not fit.
  bool Put(const EchoMessage& message) {
    size_t size = message.ByteSizeLong();
    if (size > Slot::kCapacity) return false;
    message.SerializeWithCachedSizesToArray(out_.bytes);
    Publish(static_cast<uint32_t>(size));
    return true;
  }

  // Copies what Await has found, as the other process could change it while it is read.
  bool Take(EchoMessage& message) {
    constexpr size_t kInFirstLine = Slot::kLine - offsetof(Slot, bytes);
    if (size_ > Slot::kCapacity) return false;
    std::memcpy(copy_.get(), in_.bytes, kInFirstLine);  // of a constant size: inline
    if (size_ > kInFirstLine) {
      std::memcpy(copy_.get() + kInFirstLine, in_.bytes + kInFirstLine, size_ - kInFirstLine);
    }
    return message.ParseFromArray(copy_.get(), static_cast<int>(size_));
  }

 private:
  static constexpr int kPolls = 1 << 12;

  // Leaves the line alone for a moment, in which the other end can write it.
  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  bool PeerIsThere() const;

  const Slot& in_;
  Slot& out_;
  const int peer_;
  uint32_t published_ = 0;
  uint32_t awaited_ = 0;
  uint32_t size_ = 0;
  const std::unique_ptr<uint8_t[]> copy_ = std::make_unique<uint8_t[]>(Slot::kCapacity);
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_END_H_
