// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/stream_writer.h"

#include <cerrno>
#include <utility>

#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

StreamWriter::StreamWriter(UniqueFd fd)
    : fd_number_(fd.get()), fd_(std::move(fd)), queue_(pool_) {}

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
    full_.store(!queue_.empty());
    if (closing_.load()) {
      queue_.Clear();
      full_.store(false);
      fd_.Reset();
      closed_.store(true);
    }
    writing_.store(false);
    // What came too late to be seen above, and found the place taken.
    bool more = closing_.load() ? !closed_.load() : !full_.load() && committed_.load() != nullptr;
    if (!more) return;
  }
}

void StreamWriter::WriteQueued() {
  struct iovec pieces[SendQueue::kMaxPieces];
  for (;;) {
    TakeCommitted();
    if (queue_.empty()) return;
    if (failed_.load(std::memory_order_relaxed) || !fd_.valid()) break;
    int count = queue_.Gather(pieces);
    ssize_t written = sys::WriteNoSignal(fd_.get(), pieces, count);
    if (written >= 0) {
      queue_.Consume(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      failed_.store(true);
    }
  }
  queue_.Clear();
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
