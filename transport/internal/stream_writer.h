// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_STREAM_WRITER_H_
#define FERRY_TRANSPORT_INTERNAL_STREAM_WRITER_H_

#include <atomic>

#include "absl/base/attributes.h"
#include "ferry/transport/internal/block_pool.h"
#include "ferry/transport/internal/send_queue.h"
#include "ferry/transport/internal/write_end.h"

namespace ferry::internal {

// Writes messages to the end of a stream. There is no lock: a thread that
// finds the writer's place taken leaves its message to that thread, which looks for
// more before it is done (the way of brpc's sockets, docs/en/io.md there).
//
// Thread contract: thread-safe. Order: all accesses of the flags and of `committed_`
// here are sequentially consistent, since each thread stores one word and then loads
// another: who commits, then looks for a writer, against the writer who leaves its
// place, then looks for commits.
class StreamWriter {
 public:
  explicit StreamWriter(WriteEnd end);
  ~StreamWriter();
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  BlockPool& pool() { return pool_; }

  // The message goes with the next Write of any thread.
  void Commit(Block* block);

  // Writes what is committed, unless another thread is at it: until all is written, the
  // descriptor takes no more, or it fails.
  void Write();

  // As Transport::queued; while something is being written, at least 1.
  size_t queued() const;

  // Something is left to be written when the descriptor takes more again.
  bool full() const { return full_.load(); }
  // The other end is closed. Nothing is left.
  bool failed() const { return failed_.load(); }

  // Writes what can be written at once, drops the rest and closes the descriptor; soon,
  // if another thread is writing.
  void Close();

  // For poll: may be closed meanwhile.
  int fd() const { return fd_number_; }
  bool is_socket() const { return is_socket_; }

 private:
  void SayWhatIsLeft() ABSL_ATTRIBUTE_COLD;
  void WriteQueued();
  bool WriteOnly();
  ssize_t WritePieces(const struct iovec* pieces, int count);
  void TakeCommitted();

  const int fd_number_;
  const bool is_socket_;
  BlockPool pool_;

  std::atomic<bool> writing_{false};
  std::atomic<bool> full_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> closing_{false};
  std::atomic<bool> closed_{false};
  std::atomic<Block*> committed_{nullptr};  // the latest first
  // Of `queue_`, when a writer last left its place: relaxed, since that is what orders it.
  std::atomic<size_t> queued_{0};

  // Owned by the thread that has set writing_.
  WriteEnd end_;
  SendQueue queue_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_STREAM_WRITER_H_
