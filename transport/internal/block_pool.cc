// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/block_pool.h"

#include <new>
#include <utility>

#include "ferry/transport/internal/large_memory.h"

namespace ferry::internal {
namespace {

constexpr size_t kSmallCapacity = 1000;
constexpr size_t kOverhead = sizeof(Block) + kFrameHeaderSize;

Block* MakeBlock(void* memory, size_t capacity) {
  return new (memory) Block{nullptr, nullptr, {}, capacity, 0, 0, 0};
}

Block* TakeLarge(size_t size) {
  LargeMemory memory = TakeLargeMemory(kOverhead + size);
  return MakeBlock(memory.begin, memory.size - kOverhead);
}

}  // namespace

void DeleteBlock(Block* block) {
  if (block != nullptr && block->capacity > kSmallCapacity) {
    GiveLargeMemory({block, kOverhead + block->capacity});
  } else {
    ::operator delete(block);
  }
}

void DeleteBlocks(Block* block) {
  while (block != nullptr) DeleteBlock(std::exchange(block, block->next));
}

BlockPool::~BlockPool() {
  for (std::atomic<Block*>& slot : small_) DeleteBlock(slot.load(std::memory_order_relaxed));
}

Block* BlockPool::Take(const FrameHeader& header, size_t size) {
  Block* block = size <= kSmallCapacity ? TakeSmall() : TakeLarge(size);
  block->followers = nullptr;
  block->header = header;
  block->size = size;
  block->sent = 0;
  return block;
}

Block* BlockPool::TakeSmall() {
  for (std::atomic<Block*>& slot : small_) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;
    if (Block* block = slot.exchange(nullptr, std::memory_order_acquire)) return block;
  }
  return MakeBlock(::operator new(kOverhead + kSmallCapacity), kSmallCapacity);
}

void BlockPool::Give(Block* block) {
  for (std::atomic<Block*>& slot : small_) {
    if (block->capacity != kSmallCapacity) break;
    Block* empty = nullptr;
    if (slot.load(std::memory_order_relaxed) == nullptr &&
        slot.compare_exchange_strong(empty, block, std::memory_order_release,
                                     std::memory_order_relaxed)) {
      return;
    }
  }
  DeleteBlock(block);
}

}  // namespace ferry::internal
