// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_H_
#define FERRY_BENCH_SLOT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "echo.pb.h"

namespace ferry::bench {

// Memory of two processes that holds one message at a time. The first cache line has the
// header and as much of the message as fits. Zeros are the initial state.
struct Slot {
  static constexpr size_t kLine = 64;
  static constexpr size_t kCapacity = (size_t{1} << 20) + 4096 - 2 * sizeof(uint32_t);

  // Hands over a header, and with it what `bytes` have.
  void Publish(uint32_t sequence_number, uint32_t size_or_mark) {
    size = size_or_mark;
    sequence.store(sequence_number, std::memory_order_release);
  }

  // Serializes in place, then publishes. False for a message that does not fit.
  bool Put(const EchoMessage& message, uint32_t sequence_number) {
    size_t needed = message.ByteSizeLong();
    if (needed > kCapacity) return false;
    message.SerializeWithCachedSizesToArray(bytes);
    Publish(sequence_number, static_cast<uint32_t>(needed));
    return true;
  }

  alignas(kLine) std::atomic<uint32_t> sequence;  // of the message that is here
  uint32_t size;
  uint8_t bytes[kCapacity];
};

// Where a message is copied to before it is parsed, as the other process could change it
// while it is read.
class SlotCopy {
 public:
  // `size` is what the header said when it was read, once.
  bool Take(const Slot& slot, uint32_t size, EchoMessage& message) {
    constexpr size_t kInFirstLine = Slot::kLine - offsetof(Slot, bytes);
    if (size > Slot::kCapacity) return false;
    std::memcpy(bytes_.get(), slot.bytes, kInFirstLine);  // of a constant size: inline
    if (size > kInFirstLine) {
      std::memcpy(bytes_.get() + kInFirstLine, slot.bytes + kInFirstLine, size - kInFirstLine);
    }
    return message.ParseFromArray(bytes_.get(), static_cast<int>(size));
  }

 private:
  const std::unique_ptr<uint8_t[]> bytes_ = std::make_unique<uint8_t[]>(Slot::kCapacity);
};

// How an end waits for the other one: for the cache line that it writes, or for the CPU that
// it needs first.
enum class SlotWait : uint8_t { kPolling, kYielding };

// Leaves a line alone for a moment, in which the other end can write it.
inline void PauseBetweenPolls() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// `peer` hangs up when the other process ends, and says nothing before.
bool PeerIsThere(int peer);
void YieldCpu();

// Polls until `is_met`. False if the other process ends first.
template <typename Condition>
bool PollUntil(const Condition& is_met, int peer, SlotWait wait = SlotWait::kPolling) {
  constexpr int kPolls = 1 << 12;
  do {
    for (int i = 0; i < kPolls; ++i) {
      if (is_met()) return true;
      if (wait == SlotWait::kYielding) YieldCpu();
      PauseBetweenPolls();
    }
  } while (PeerIsThere(peer));
  return is_met();  // it may have been the last that the other one did
}

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_H_
