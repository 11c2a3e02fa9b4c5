// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_WRITE_END_H_
#define FERRY_TRANSPORT_INTERNAL_WRITE_END_H_

#include <sys/types.h>
#include <sys/uio.h>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

// The descriptor that a stream is written to: a write takes what fits, never sleeps and
// never raises SIGPIPE. Thread contract: thread-compatible.
class WriteEnd {
 public:
  enum class Sharing {
    kOurs,    // no other process has the file description: it may be made non-blocking
    kShared,  // others may: its mode stays, or they would get it, too
  };

  // Takes over a pipe's writing end or a socket. Returns: the error of a descriptor that
  // cannot be used so.
  static absl::StatusOr<WriteEnd> Create(UniqueFd fd, Sharing sharing);

  // As writev, of up to IOV_MAX pieces: EAGAIN when nothing fits.
  ssize_t Write(const struct iovec* pieces, int count) {
    return kind_ == Kind::kPlainPipe ? sys::Write(fd_.get(), pieces, count)
                                     : WriteElsewhere(pieces, count);
  }

  bool valid() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }
  // The peer sees the end of the stream.
  void Close();

 private:
  enum class Kind {
    // A pipe with a reader raises no SIGPIPE, so one end for reading is kept here, which
    // is never read: a plain write(2) is then safe, on every kernel, and cheaper than any
    // that asks for no signal. That the peer has ended then shows on the stream that it
    // writes.
    kPlainPipe,
    kPipe,        // without /proc there is no such end, and each write asks
    kSharedPipe,  // it may block; but what poll says is free of it is PIPE_BUF at least
    kSocket,
  };

  WriteEnd(Kind kind, UniqueFd fd, UniqueFd reading_end);
  ssize_t WriteElsewhere(const struct iovec* pieces, int count) ABSL_ATTRIBUTE_COLD;
  ssize_t WriteShared(const struct iovec* pieces);

  Kind kind_;
  UniqueFd fd_;
  UniqueFd reading_end_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_WRITE_END_H_
