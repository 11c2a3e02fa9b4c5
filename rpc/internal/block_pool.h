// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_BLOCK_POOL_H_
#define FERRY_RPC_INTERNAL_BLOCK_POOL_H_

#include <cstddef>
#include <new>

#include "absl/base/thread_annotations.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// Memory of one size, kept for the next who needs it: as much as was in use at once. Thread
// contract: thread-safe.
class BlockPool {
 public:
  BlockPool() = default;
  ~BlockPool() {
    while (free_ != nullptr) {
      Block* block = free_;
      free_ = block->next;
      ::operator delete(block);
    }
  }
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // `size` is always the same.
  void* Take(size_t size) {
    {
      MutexLock lock(mutex_);
      if (Block* block = free_) {
        free_ = block->next;
        return block;
      }
    }
    return ::operator new(size);
  }
  void Give(void* memory) {
    MutexLock lock(mutex_);
    free_ = new (memory) Block{free_};
  }

 private:
  struct Block {
    Block* next;
  };

  Mutex mutex_;
  Block* free_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_BLOCK_POOL_H_
