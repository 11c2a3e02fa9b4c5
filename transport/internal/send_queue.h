// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What is still to be sent: messages in, pieces for writev out.
//
// A message of more than max_frame bytes leaves as fragments, one per Gather, with the
// other calls' messages between them. Messages of one call keep their order.

#ifndef FERRY_TRANSPORT_INTERNAL_SEND_QUEUE_H_
#define FERRY_TRANSPORT_INTERNAL_SEND_QUEUE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "ferry/proto/frame.h"
#include "ferry/transport/internal/block_pool.h"

namespace ferry::internal {

// Thread contract: thread-compatible; but the pieces of a Gather may be read until
// Consume.
class SendQueue {
 public:
  static constexpr int kMaxPieces = 32;

  // Consumed blocks go back to `pool`.
  explicit SendQueue(BlockPool& pool, size_t max_frame = kMaxFrame)
      : pool_(pool), max_frame_(max_frame) {}
  ~SendQueue() { Clear(); }
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  void Commit(Block* block);

  // True when all that was committed has been consumed.
  bool empty() const;
  // What the messages that have not been consumed as a whole take.
  size_t memory() const { return memory_; }

  // Points `pieces` at what is to be written next and answers how many there are.
  int Gather(struct iovec (&pieces)[kMaxPieces]);
  // The first `bytes` of what Gather answered are written.
  void Consume(size_t bytes);

  // Drops everything committed.
  void Clear();

 private:
  struct List {
    Block* head = nullptr;
    Block* tail = nullptr;

    void Append(Block* block);
    Block* Pop();
  };
  struct Piece {
    Block* block;
    char* begin;
    char* end;
    bool last;  // the block is done with it
  };

  void Append(Block* block);
  void PlanFrame(Block* block);
  void Finish(Block* block);
  Block* BulkOf(CallId call) const;

  BlockPool& pool_;
  const size_t max_frame_;

  List small_;  // messages of one frame
  List bulk_;   // longer ones, taking turns
  uint64_t commits_ = 0;
  size_t memory_ = 0;

  // What has been promised to the wire in this order, [wire_begin_, wire_end_).
  Piece wire_[kMaxPieces];
  int wire_begin_ = 0;
  int wire_end_ = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SEND_QUEUE_H_
