// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/event.h"

#include <cerrno>
#include <cstdint>

#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

absl::Status Event::Open() {
  if (fd_.valid()) return absl::OkStatus();
  fd_ = UniqueFd(sys::EventFd());
  if (!fd_.valid()) return absl::ErrnoToStatus(errno, "eventfd");
  return absl::OkStatus();
}

void Event::Set() {
  int error = errno;  // that of whoever a signal handler has interrupted
  uint64_t one = 1;
  struct iovec piece = {&one, sizeof(one)};
  while (sys::Write(fd_.get(), &piece, 1) < 0 && errno == EINTR) {
  }
  errno = error;
}

void Event::Wait(Deadline deadline) const {
  struct pollfd set = {fd_.get(), POLLIN, 0};
  sys::Poll(&set, 1, deadline);
}

void Event::Clear() {
  uint64_t count;
  while (sys::Read(fd_.get(), &count, sizeof(count)) < 0 && errno == EINTR) {
  }
}

}  // namespace ferry::internal
