// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/block_pool.h"

#include <algorithm>
#include <new>
#include <utility>

namespace ferry::internal {
namespace {

constexpr size_t kSmallCapacity = 1000;

// So many small messages after a large one, its buffer is given back.
constexpr int kKeepLargeFor = 64;

Block* NewBlock(size_t capacity) {
  void* memory = ::operator new(sizeof(Block) + kFrameHeaderSize + capacity);
  return new (memory) Block{nullptr, nullptr, {}, capacity, 0, 0, 0};
}

}  // namespace

void DeleteBlock(Block* block) { ::operator delete(block); }

void DeleteBlocks(Block* block) {
  while (block != nullptr) DeleteBlock(std::exchange(block, block->next));
}

BlockPool::~BlockPool() {
  for (std::atomic<Block*>& slot : small_) DeleteBlock(slot.load(std::memory_order_relaxed));
  DeleteBlock(large_.load(std::memory_order_relaxed));
}

Block* BlockPool::Take(const FrameHeader& header, size_t size) {
  Block* block = size <= kSmallCapacity ? TakeSmall() : TakeLarge(size);
  if (block == nullptr) block = NewBlock(std::max(size, kSmallCapacity));
  block->followers = nullptr;
  block->header = header;
  block->size = size;
  block->sent = 0;
  return block;
}

Block* BlockPool::TakeSmall() {
  if (large_.load(std::memory_order_relaxed) != nullptr &&
      large_unused_.fetch_add(1, std::memory_order_relaxed) >= kKeepLargeFor) {
    DeleteBlock(large_.exchange(nullptr, std::memory_order_acquire));
  }
  for (std::atomic<Block*>& slot : small_) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;
    if (Block* block = slot.exchange(nullptr, std::memory_order_acquire)) return block;
  }
  return nullptr;
}

Block* BlockPool::TakeLarge(size_t size) {
  Block* block = large_.exchange(nullptr, std::memory_order_acquire);
  if (block == nullptr || block->capacity >= size) return block;
  DeleteBlock(block);
  return nullptr;
}

void BlockPool::Give(Block* block) {
  if (block->capacity != kSmallCapacity) {
    large_unused_.store(0, std::memory_order_relaxed);
    DeleteBlock(large_.exchange(block, std::memory_order_acq_rel));
    return;
  }
  for (std::atomic<Block*>& slot : small_) {
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
