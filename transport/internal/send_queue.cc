// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/send_queue.h"

#include <algorithm>
#include <utility>

namespace ferry::internal {

void SendQueue::List::Append(Block* block) {
  block->next = nullptr;
  (head == nullptr ? head : tail->next) = block;
  tail = block;
}

Block* SendQueue::List::Pop() {
  Block* block = head;
  head = block->next;
  return block;
}

void SendQueue::Commit(Block* block) {
  memory_ += MemoryOf(*block);
  Append(block);
}

void SendQueue::Append(Block* block) {
  block->order = commits_++;
  if (Block* earlier = bulk_.head == nullptr ? nullptr : BulkOf(block->header.call)) {
    Block** end = &earlier->followers;
    while (*end != nullptr) end = &(*end)->next;
    block->next = nullptr;
    *end = block;
    return;
  }
  (block->size > max_frame_ ? bulk_ : small_).Append(block);
}

bool SendQueue::empty() const {
  return wire_begin_ == wire_end_ && small_.head == nullptr && bulk_.head == nullptr;
}

int SendQueue::Gather(struct iovec (&pieces)[kMaxPieces]) {
  if (wire_begin_ == wire_end_) {
    wire_begin_ = wire_end_ = 0;
    while (small_.head != nullptr && wire_end_ < kMaxPieces - 1) PlanFrame(small_.Pop());
    // A bulk message does not begin before what was committed before it has gone.
    if (bulk_.head != nullptr &&
        (small_.head == nullptr || small_.head->order > bulk_.head->order)) {
      Block* block = bulk_.Pop();
      PlanFrame(block);
      bulk_.Append(block);
    }
  }
  int count = 0;
  for (int i = wire_begin_; i < wire_end_; ++i) {
    pieces[count++] = {wire_[i].begin, static_cast<size_t>(wire_[i].end - wire_[i].begin)};
  }
  return count;
}

// Puts the block's next frame on the wire. Its header goes right in front of its
// payload: for a later fragment that is over the end of the one before, which has left
// by now, as only one fragment of a block is on the wire at a time.
void SendQueue::PlanFrame(Block* block) {
  size_t remaining = block->size - block->sent;
  FrameHeader header;
  if (block->sent == 0) {
    header = block->header;
    header.length = static_cast<uint32_t>(std::min(remaining, max_frame_));
    if (remaining > max_frame_) header.flags |= kFlagMore;
  } else {
    header = ContinueHeader(block->header.call, remaining, max_frame_);
  }
  char* payload = block->payload() + block->sent;
  char* begin = payload - kFrameHeaderSize;
  EncodeFrameHeader(header, begin);
  block->sent += header.length;
  wire_[wire_end_++] = {block, begin, payload + header.length, block->sent == block->size};
}

void SendQueue::Consume(size_t bytes) {
  while (wire_begin_ < wire_end_) {
    Piece& piece = wire_[wire_begin_];
    size_t taken = std::min(bytes, static_cast<size_t>(piece.end - piece.begin));
    piece.begin += taken;
    bytes -= taken;
    if (piece.begin != piece.end) return;
    ++wire_begin_;
    if (piece.last) Finish(piece.block);
  }
}

void SendQueue::Finish(Block* block) {
  if (block->size > max_frame_) {
    List rest;
    while (bulk_.head != nullptr) {
      Block* other = bulk_.Pop();
      if (other != block) rest.Append(other);
    }
    bulk_ = rest;
    Block* follower = std::exchange(block->followers, nullptr);
    while (follower != nullptr) Append(std::exchange(follower, follower->next));
  }
  memory_ -= MemoryOf(*block);
  pool_.Give(block);
}

Block* SendQueue::BulkOf(CallId call) const {
  Block* block = bulk_.head;
  while (block != nullptr && block->header.call != call) block = block->next;
  return block;
}

void SendQueue::Clear() {
  memory_ = 0;
  // A fragmented block on the wire is in bulk_ as well.
  for (int i = wire_begin_; i < wire_end_; ++i) {
    if (wire_[i].block->size <= max_frame_) DeleteBlock(wire_[i].block);
  }
  wire_begin_ = wire_end_ = 0;
  DeleteBlocks(std::exchange(small_, {}).head);
  for (Block* block = bulk_.head; block != nullptr; block = block->next) {
    DeleteBlocks(std::exchange(block->followers, nullptr));
  }
  DeleteBlocks(std::exchange(bulk_, {}).head);
}

}  // namespace ferry::internal
