// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/send_queue.h"

#include <algorithm>
#include <new>
#include <utility>

namespace ferry::internal {
namespace {

using Block = SendQueue::Block;

constexpr size_t kSmallCapacity = 1000;
constexpr int kMaxSpares = 8;

// So many small messages after a large one, its buffer is given back.
constexpr int kKeepLargeFor = 64;

Block* NewBlock(size_t capacity) {
  return new (::operator new(sizeof(Block) + kFrameHeaderSize + capacity))
      Block{nullptr, nullptr, {}, capacity, 0, 0, 0};
}

void DeleteBlock(Block* block) { ::operator delete(block); }

void DeleteAll(Block* block) {
  while (block != nullptr) DeleteBlock(std::exchange(block, block->next));
}

}  // namespace

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

SendQueue::~SendQueue() {
  Clear();
  DeleteAll(spares_);
  DeleteAll(large_spare_);
}

Block* SendQueue::Allocate(const FrameHeader& header, size_t size) {
  Block* block = nullptr;
  if (size <= kSmallCapacity) {
    if (large_spare_ != nullptr && ++large_spare_unused_ == kKeepLargeFor) {
      DeleteBlock(std::exchange(large_spare_, nullptr));
    }
    if (spares_ != nullptr) {
      block = std::exchange(spares_, spares_->next);
      --spare_count_;
    }
  } else if (large_spare_ != nullptr && large_spare_->capacity >= size) {
    block = std::exchange(large_spare_, nullptr);
  }
  if (block == nullptr) block = NewBlock(std::max(size, kSmallCapacity));
  block->followers = nullptr;
  block->header = header;
  block->size = size;
  block->sent = 0;
  return block;
}

void SendQueue::Free(Block* block) {
  if (block->capacity == kSmallCapacity && spare_count_ < kMaxSpares) {
    block->next = std::exchange(spares_, block);
    ++spare_count_;
    return;
  }
  if (block->capacity > kSmallCapacity &&
      (large_spare_ == nullptr || large_spare_->capacity < block->capacity)) {
    std::swap(block, large_spare_);
    large_spare_->next = nullptr;
    large_spare_unused_ = 0;
  }
  if (block != nullptr) DeleteBlock(block);
}

void SendQueue::Commit(Block* block) {
  block->order = commits_++;
  if (Block* earlier = bulk_.head == nullptr ? nullptr : BulkOf(block->header.call)) {
    Block** end = &earlier->followers;
    while (*end != nullptr) end = &(*end)->next;
    block->next = nullptr;
    *end = block;
    return;
  }
  (block->size > kMaxFrame ? bulk_ : small_).Append(block);
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
    header.length = static_cast<uint32_t>(std::min(remaining, kMaxFrame));
    if (remaining > kMaxFrame) header.flags |= kFlagMore;
  } else {
    header = ContinueHeader(block->header.call, remaining, kMaxFrame);
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
  if (block->size > kMaxFrame) {
    List rest;
    while (bulk_.head != nullptr) {
      Block* other = bulk_.Pop();
      if (other != block) rest.Append(other);
    }
    bulk_ = rest;
    Block* follower = std::exchange(block->followers, nullptr);
    while (follower != nullptr) Commit(std::exchange(follower, follower->next));
  }
  Free(block);
}

Block* SendQueue::BulkOf(CallId call) const {
  Block* block = bulk_.head;
  while (block != nullptr && block->header.call != call) block = block->next;
  return block;
}

void SendQueue::Clear() {
  // A fragmented block on the wire is in bulk_ as well.
  for (int i = wire_begin_; i < wire_end_; ++i) {
    if (wire_[i].block->size <= kMaxFrame) DeleteBlock(wire_[i].block);
  }
  wire_begin_ = wire_end_ = 0;
  DeleteAll(std::exchange(small_, {}).head);
  for (Block* block = bulk_.head; block != nullptr; block = block->next) {
    DeleteAll(std::exchange(block->followers, nullptr));
  }
  DeleteAll(std::exchange(bulk_, {}).head);
}

}  // namespace ferry::internal
