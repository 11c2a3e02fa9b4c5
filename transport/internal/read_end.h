// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_READ_END_H_
#define FERRY_TRANSPORT_INTERNAL_READ_END_H_

#include <sys/types.h>

#include <cstddef>
#include <utility>

#include "ferry/transport/internal/fd.h"

namespace ferry::internal {

// The descriptor that a stream is read from. Thread contract: Wake on any thread, the
// rest on one.
class ReadEnd {
 public:
  // Takes over a socket or a pipe's reading end, named or not, once it has a writer.
  explicit ReadEnd(UniqueFd fd);

  int fd() const { return fd_.get(); }
  bool is_socket() const { return kind_ == Kind::kSocket; }

  // Whether Read sleeps, and Wake ends that sleep.
  bool can_sleep() const { return can_sleep_; }

  // As read(2); a descriptor that somebody has made non-blocking answers EAGAIN.
  ssize_t Read(void* data, size_t size);
  // The same, with EAGAIN rather than a sleep.
  ssize_t ReadNow(void* data, size_t size);

  // Ends the sleep in a Read, for good: by a byte behind all that is in the pipe, or by
  // the end of the socket. Also on a thread that has descriptors of its own; but not for
  // a socket there. Answers whether it could.
  bool Wake() const;

 private:
  enum class Kind {
    kSocket,
    kPipe,
    kNonBlockingPipe,
  };

  ssize_t PollPipe(void* data, size_t size);

  UniqueFd fd_;
  // The same end of a pipe, without sleeping: opened by the first ReadNow, for readers that
  // look again and again. A connection that always sleeps takes no descriptor for it.
  UniqueFd polled_;
  bool opened_polled_ = false;  // or tried to
  Kind kind_;
  bool can_sleep_ = false;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_READ_END_H_
