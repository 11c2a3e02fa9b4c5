// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/stream_writer.h"

#include <cerrno>
#include <utility>

namespace ferry::internal {

StreamWriter::StreamWriter(WriteEnd end)
    : fd_number_(end.fd()), is_socket_(end.is_socket()), end_(std::move(end)), queue_(pool_) {}

StreamWriter::~StreamWriter() { DeleteBlocks(committed_.load()); }

void StreamWriter::Commit(Block* block) {
  block->next = committed_.load();
  while (!committed_.compare_exchange_weak(block->next, block)) {
  }
}

void StreamWriter::Write() {
  for (;;) {
    if (writing_.exchange(true)) return;
    WriteQueued();
    if (full_.load() || !queue_.empty()) SayWhatIsLeft();
    if (closing_.load()) {
      queue_.Clear();
      SayWhatIsLeft();
      end_.Close();
      closed_.store(true);
    }
    writing_.store(false);
    // What came too late to be seen above, and found the place taken.
    bool more = closing_.load() ? !closed_.load() : !full_.load() && committed_.load() != nullptr;
    if (!more) return;
  }
}

void StreamWriter::SayWhatIsLeft() {
  queued_.store(queue_.memory(), std::memory_order_relaxed);
  if (full_.load() == queue_.empty()) full_.store(!queue_.empty());
}

// Looks in the order in which a message moves, so that none slips by.
size_t StreamWriter::queued() const {
  bool more = committed_.load() != nullptr;
  more = more || writing_.load();
  size_t queued = queued_.load(std::memory_order_relaxed);
  return queued == 0 && more ? 1 : queued;
}

// The usual case: one message, and nothing before it. Answers false if something is left
// to be done.
bool StreamWriter::WriteOnly() {
  Block* block = committed_.load();
  if (block == nullptr || block->next != nullptr || block->size > kMaxFrame || !queue_.empty() ||
      failed_.load(std::memory_order_relaxed) || !end_.valid() ||
      !committed_.compare_exchange_strong(block, nullptr)) {
    return false;
  }
  block->header.length = static_cast<uint32_t>(block->size);
  char* begin = block->payload() - kFrameHeaderSize;
  EncodeFrameHeader(block->header, begin);
  struct iovec piece = {begin, kFrameHeaderSize + block->size};
  ssize_t written = WritePieces(&piece, 1);
  if (written == static_cast<ssize_t>(piece.iov_len)) {
    pool_.Give(block);
    return true;
  }
  queue_.Commit(block);
  if (written > 0) {
    struct iovec pieces[SendQueue::kMaxPieces];
    queue_.Gather(pieces);
    queue_.Consume(static_cast<size_t>(written));
  }
  return false;
}

void StreamWriter::WriteQueued() {
  if (WriteOnly() && committed_.load() == nullptr) return;
  struct iovec pieces[SendQueue::kMaxPieces];
  for (;;) {
    TakeCommitted();
    if (queue_.empty()) return;
    if (failed_.load(std::memory_order_relaxed) || !end_.valid()) break;
    int count = queue_.Gather(pieces);
    ssize_t written = WritePieces(pieces, count);
    if (written < 0 && errno == EAGAIN) return;
    if (written > 0) queue_.Consume(static_cast<size_t>(written));
  }
  queue_.Clear();
}

ssize_t StreamWriter::WritePieces(const struct iovec* pieces, int count) {
  ssize_t written = end_.Write(pieces, count);
  if (written < 0 && errno == EAGAIN && end_.Grow()) written = end_.Write(pieces, count);
  if (written < 0 && errno != EAGAIN && errno != EINTR) failed_.store(true);
  return written;
}

void StreamWriter::TakeCommitted() {
  if (committed_.load() == nullptr) return;
  Block* latest = committed_.exchange(nullptr);
  Block* first = nullptr;
  while (latest != nullptr) {
    Block* earlier = std::exchange(latest->next, first);
    first = std::exchange(latest, earlier);
  }
  while (first != nullptr) queue_.Commit(std::exchange(first, first->next));
}

void StreamWriter::Close() {
  closing_.store(true);
  Write();
}

}  // namespace ferry::internal
