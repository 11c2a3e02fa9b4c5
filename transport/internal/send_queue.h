// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What a byte stream has still to send: messages in, pieces for writev out.
//
// A message of more than kMaxFrame bytes leaves as fragments, one per Gather, with the
// other calls' messages between them. Messages of one call keep their order.

#ifndef FERRY_TRANSPORT_INTERNAL_SEND_QUEUE_H_
#define FERRY_TRANSPORT_INTERNAL_SEND_QUEUE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "ferry/proto/frame.h"

namespace ferry::internal {

// Thread contract: thread-compatible; but the bytes of an allocated block are its
// owner's until Commit, and the pieces of a Gather may be read until Consume.
class SendQueue {
 public:
  // A message and room for the header in front of it, so that a whole frame is one
  // piece.
  struct Block {
    Block* next;        // in whatever list the block is
    Block* followers;   // messages of the same call that must wait for this one
    FrameHeader header;
    size_t capacity;    // of the payload
    size_t size;
    size_t sent;        // payload bytes that Gather has handed out
    uint64_t order;     // of its commit

    char* payload() { return reinterpret_cast<char*>(this + 1) + kFrameHeaderSize; }
  };

  static constexpr int kMaxPieces = 32;

  SendQueue() = default;
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  Block* Allocate(const FrameHeader& header, size_t size);
  void Commit(Block* block);
  void Free(Block* block);

  // True when all that was committed has been consumed.
  bool empty() const;

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

  void PlanFrame(Block* block);
  void Finish(Block* block);
  Block* BulkOf(CallId call) const;

  List small_;  // messages of one frame
  List bulk_;   // longer ones, taking turns
  uint64_t commits_ = 0;

  // What has been promised to the wire in this order, [wire_begin_, wire_end_).
  Piece wire_[kMaxPieces];
  int wire_begin_ = 0;
  int wire_end_ = 0;

  // Blocks for reuse: a few of kSmallCapacity, and one larger one until it has not
  // been needed for a while.
  Block* spares_ = nullptr;
  int spare_count_ = 0;
  Block* large_spare_ = nullptr;
  int large_spare_unused_ = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SEND_QUEUE_H_
