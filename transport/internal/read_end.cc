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
      return PollPipe(data, size);
    case Kind::kNonBlockingPipe:
      break;
  }
  return sys::Read(fd_.get(), data, size);
}

// read(2) is the quickest look; a named pipe has no other that is one system call.
ssize_t ReadEnd::PollPipe(void* data, size_t size) {
  if (!std::exchange(opened_polled_, true)) polled_ = UniqueFd(sys::OpenReadingEnd(fd_.get()));
  return polled_.valid() ? sys::Read(polled_.get(), data, size)
                         : sys::ReadNow(fd_.get(), data, size);
}

bool ReadEnd::Wake() const {
  return is_socket() ? sys::EndOfReading(fd_.get()) == 0 : sys::WakeReader(fd_.get());
}

}  // namespace ferry::internal
