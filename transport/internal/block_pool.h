// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_BLOCK_POOL_H_
#define FERRY_TRANSPORT_INTERNAL_BLOCK_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ferry/proto/frame.h"

namespace ferry::internal {

// A message to be sent, and room for the header in front of it, so that a whole frame
// is one piece.
struct Block {
  Block* next;       // in whatever list the block is
  Block* followers;  // messages of the same call that must wait for this one
  FrameHeader header;
  size_t capacity;  // of the payload
  size_t size;
  size_t sent;     // payload bytes that are on their way
  uint64_t order;  // of its commit

  char* payload() { return reinterpret_cast<char*>(this + 1) + kFrameHeaderSize; }
};

inline size_t MemoryOf(const Block& block) {
  return sizeof(Block) + kFrameHeaderSize + block.capacity;
}

void DeleteBlock(Block* block);
// The block and all that `next` leads to.
void DeleteBlocks(Block* block);

// Where blocks come from: a few small ones are kept for reuse, large ones are of the
// memory that all connections share. Thread contract: thread-safe.
class BlockPool {
 public:
  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  Block* Take(const FrameHeader& header, size_t size);
  void Give(Block* block);

 private:
  Block* TakeSmall();

  // In each slot, the release of the exchange that puts a block in pairs with the
  // acquire of the one that takes it out.
  std::atomic<Block*> small_[4] = {};
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_BLOCK_POOL_H_
