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

namespace {

// What an anonymous pipe has from the beginning.
constexpr size_t kGrownCapacity = 64 * 1024;

}  // namespace

absl::StatusOr<WriteEnd> WriteEnd::Create(UniqueFd fd, Sharing sharing) {
  if (sys::FileType(fd.get()) == S_IFSOCK) return WriteEnd(Kind::kSocket, std::move(fd));
  if (sys::IsReadable(fd.get())) {
    WriteEnd end(Kind::kPlainPipe, std::move(fd));
    end.may_grow_ = true;
    return end;
  }
  // A file description of our own, where /proc and the pipe's owner allow it.
  UniqueFd both_ends(sys::OpenBothEnds(fd.get()));
  if (both_ends.valid()) return WriteEnd(Kind::kPlainPipe, std::move(both_ends));
  if (sharing == Sharing::kShared) return WriteEnd(Kind::kSharedPipe, std::move(fd));
  if (sys::SetNonBlocking(fd.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("O_NONBLOCK on descriptor ", fd.get()));
  }
  return WriteEnd(Kind::kPipe, std::move(fd));
}

ssize_t WriteEnd::WriteElsewhere(const struct iovec* pieces, int count) {
  if (kind_ == Kind::kSharedPipe) return WriteShared(pieces);
  return sys::WriteNoSignal(fd_, pieces, count);
}

bool WriteEnd::Grow() {
  if (!std::exchange(may_grow_, false)) return false;
  bool grown = sys::SetPipeCapacity(fd_, kGrownCapacity) == 0;
  errno = EAGAIN;  // that of the write, which still holds when there may be no more
  return grown;
}

ssize_t WriteEnd::WriteShared(const struct iovec* pieces) {
  struct pollfd room = {fd_, POLLOUT, 0};
  if (sys::Poll(&room, 1, Deadline::min()) < 0) return -1;
  if (room.revents == 0) {
    errno = EAGAIN;
    return -1;
  }
  struct iovec piece = *pieces;
  piece.iov_len = std::min<size_t>(piece.iov_len, PIPE_BUF);
  return sys::WriteNoSignal(fd_, &piece, 1);
}

void WriteEnd::Close() {
  if (valid() && is_socket()) sys::EndOfWriting(fd_);
  fd_ = -1;
  owned_.Reset();
}

}  // namespace ferry::internal
