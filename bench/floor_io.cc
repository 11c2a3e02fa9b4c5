// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floor_io.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace ferry::bench {

bool SetPolling(int fd, bool polls) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return false;
  return fcntl(fd, F_SETFL, polls ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0;
}

ssize_t ReadSome(int fd, char* data, size_t size) {
  for (;;) {
    ssize_t got = read(fd, data, size);
    if (got >= 0 || errno != EAGAIN) return got;
  }
}

bool ReadAll(int fd, char* data, size_t size) {
  while (size != 0) {
    ssize_t got = ReadSome(fd, data, size);
    if (got <= 0) return false;
    data += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteAll(int fd, const char* data, size_t size) {
  while (size != 0) {
    ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EAGAIN) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

void SleepUntilInput(int fd) {
  struct pollfd input = {fd, POLLIN, 0};
  poll(&input, 1, -1);
}

}  // namespace ferry::bench
