// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/read_end.h"

#include <cerrno>

#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

ReadEnd::ReadEnd(UniqueFd fd) : fd_(std::move(fd)) {
  bool blocks = !sys::IsNonBlocking(fd_.get());
  if (sys::FileType(fd_.get()) == S_IFSOCK) {
    kind_ = Kind::kSocket;
    can_sleep_ = blocks;
  } else {
    kind_ = blocks ? Kind::kPipe : Kind::kNonBlockingPipe;
    can_sleep_ = blocks && UniqueFd(sys::OpenBothEnds(fd_.get())).valid();
  }
}

ssize_t ReadEnd::Read(void* data, size_t size) {
  if (kind_ == Kind::kNonBlockingPipe) return ReadNow(data, size);
  ssize_t got = sys::Read(fd_.get(), data, size);
  // Somebody with whom the descriptor is shared has made it so.
  if (got < 0 && errno == EAGAIN) can_sleep_ = false;
  return got;
}

ssize_t ReadEnd::ReadNow(void* data, size_t size) {
  switch (kind_) {
    case Kind::kSocket:
      return sys::ReceiveNow(fd_.get(), data, size);
    case Kind::kPipe:
      return sys::ReadNow(fd_.get(), data, size);
    case Kind::kNonBlockingPipe:
      break;
  }
  ssize_t got = sys::Read(fd_.get(), data, size);
  if (got > 0) has_had_writer_ = true;
  return got == 0 && !has_had_writer_ ? ReadEndOrNothing() : got;
}

// What a read of 0 bytes means (fifo_open in Linux' fs/pipe.c: a poll tells of the end
// only once there was a writer).
ssize_t ReadEnd::ReadEndOrNothing() {
  struct pollfd pipe = {fd_.get(), POLLIN, 0};
  sys::Poll(&pipe, 1, Deadline::min());
  has_had_writer_ = (pipe.revents & POLLHUP) != 0;
  if (has_had_writer_) return 0;
  errno = EAGAIN;
  return -1;
}

bool ReadEnd::Wake() const {
  return is_socket() ? sys::EndOfReading(fd_.get()) == 0 : sys::WakeReader(fd_.get());
}

}  // namespace ferry::internal
