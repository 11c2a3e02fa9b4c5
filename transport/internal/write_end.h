// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_WRITE_END_H_
#define FERRY_TRANSPORT_INTERNAL_WRITE_END_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <utility>

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

  // Takes over a socket, a pipe's writing end, or both ends of a pipe in one descriptor
  // (O_RDWR). Returns: the error of a descriptor that cannot be used so.
  static absl::StatusOr<WriteEnd> Create(UniqueFd fd, Sharing sharing);
  // A socket that stays the caller's, for as long as this object lives.
  static WriteEnd OnSocket(int socket) { return WriteEnd(Kind::kSocket, socket, {}); }

  // As writev, of up to IOV_MAX pieces: EAGAIN when nothing fits.
  ssize_t Write(const struct iovec* pieces, int count) {
    if (kind_ == Kind::kPlainPipe) return sys::Write(fd_, pieces, count);
    if (kind_ == Kind::kSocket) return sys::SendNow(fd_, pieces, count);
    return WriteElsewhere(pieces, count);
  }

  // To be called when nothing fits: answers true if more does now. Pipes with a name
  // begin small, since all that a user has share a limit (pipe-user-pages-soft, pipe(7)).
  bool Grow() ABSL_ATTRIBUTE_COLD;

  bool is_socket() const { return kind_ == Kind::kSocket; }
  bool valid() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // The peer sees the end of the stream.
  void Close();

 private:
  enum class Kind {
    // A pipe with a reader raises no SIGPIPE, so the descriptor is one for reading, too,
    // which is never done: a plain write(2) is then safe, on every kernel, and cheaper
    // than any that asks for no signal. That the peer has ended then shows on the stream
    // that it writes.
    kPlainPipe,
    kPipe,        // without /proc there is no such descriptor, and each write asks
    kSharedPipe,  // it may block; but what poll says is free of it is PIPE_BUF at least
    kSocket,
  };

  WriteEnd(Kind kind, int fd, UniqueFd owned) : kind_(kind), fd_(fd), owned_(std::move(owned)) {}
  WriteEnd(Kind kind, UniqueFd fd) : kind_(kind), fd_(fd.get()), owned_(std::move(fd)) {}
  ssize_t WriteElsewhere(const struct iovec* pieces, int count) ABSL_ATTRIBUTE_COLD;
  ssize_t WriteShared(const struct iovec* pieces);

  Kind kind_;
  int fd_;
  UniqueFd owned_;
  bool may_grow_ = false;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_WRITE_END_H_
