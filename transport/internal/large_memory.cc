// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/large_memory.h"

#include <atomic>
#include <new>

namespace ferry::internal {
namespace {

constexpr size_t kLeastKept = size_t{16} << 10;
constexpr size_t kMostKept = size_t{2} << 20;

// At the beginning of what is kept.
struct Kept {
  size_t size;
};

// The release of the exchange that puts memory in pairs with the acquire of the one that
// takes it out.
std::atomic<Kept*> kept[4];

}  // namespace

LargeMemory TakeLargeMemory(size_t size) {
  for (std::atomic<Kept*>& slot : kept) {
    if (size < kLeastKept || slot.load(std::memory_order_relaxed) == nullptr) continue;
    Kept* found = slot.exchange(nullptr, std::memory_order_acquire);
    if (found == nullptr) continue;
    if (found->size >= size) return {found, found->size};
    ::operator delete(found);  // the larger one will take its place
  }
  return {::operator new(size), size};
}

void GiveLargeMemory(LargeMemory memory) {
  if (memory.size >= kLeastKept && memory.size <= kMostKept) {
    auto* giving = new (memory.begin) Kept{memory.size};
    for (std::atomic<Kept*>& slot : kept) {
      Kept* empty = nullptr;
      if (slot.load(std::memory_order_relaxed) == nullptr &&
          slot.compare_exchange_strong(empty, giving, std::memory_order_release,
                                       std::memory_order_relaxed)) {
        return;
      }
    }
  }
  ::operator delete(memory.begin);
}

}  // namespace ferry::internal
