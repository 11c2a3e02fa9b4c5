// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/write_end.h"

#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

absl::StatusOr<WriteEnd> WriteEnd::Create(UniqueFd fd, Sharing sharing) {
  if (sys::FileType(fd.get()) == S_IFSOCK) return WriteEnd(Kind::kSocket, std::move(fd), {});
  if (sharing == Sharing::kShared) {
    // A file description of our own, where /proc and the pipe's owner allow it.
    UniqueFd own(sys::OpenWriteEnd(fd.get()));
    if (!own.valid()) return WriteEnd(Kind::kSharedPipe, std::move(fd), {});
    fd = std::move(own);
  } else if (sys::SetNonBlocking(fd.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("O_NONBLOCK on descriptor ", fd.get()));
  }
  UniqueFd reading_end(sys::OpenReadEnd(fd.get()));
  Kind kind = reading_end.valid() ? Kind::kPlainPipe : Kind::kPipe;
  return WriteEnd(kind, std::move(fd), std::move(reading_end));
}

WriteEnd::WriteEnd(Kind kind, UniqueFd fd, UniqueFd reading_end)
    : kind_(kind), fd_(std::move(fd)), reading_end_(std::move(reading_end)) {}

ssize_t WriteEnd::WriteElsewhere(const struct iovec* pieces, int count) {
  if (kind_ == Kind::kSocket) return sys::SendNow(fd_.get(), pieces, count);
  if (kind_ == Kind::kSharedPipe) return WriteShared(pieces);
  return sys::WriteNoSignal(fd_.get(), pieces, count);
}

ssize_t WriteEnd::WriteShared(const struct iovec* pieces) {
  struct pollfd room = {fd_.get(), POLLOUT, 0};
  if (sys::Poll(&room, 1, Deadline::min()) < 0) return -1;
  if (room.revents == 0) {
    errno = EAGAIN;
    return -1;
  }
  struct iovec piece = *pieces;
  piece.iov_len = std::min<size_t>(piece.iov_len, PIPE_BUF);
  return sys::WriteNoSignal(fd_.get(), &piece, 1);
}

void WriteEnd::Close() {
  if (valid() && kind_ == Kind::kSocket) sys::EndOfWriting(fd_.get());
  fd_.Reset();
  reading_end_.Reset();
}

}  // namespace ferry::internal
