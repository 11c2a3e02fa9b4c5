// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/end_wait.h"

#include "ferry/transport/internal/sys.h"

namespace ferry {

namespace sys = internal::sys;

bool EndWait::Wait(const Transport& transport, Deadline deadline) {
  Transport::EndSign sign = transport.end_sign();
  const auto events = static_cast<short>(sign.is_process ? POLLIN : POLLRDHUP);  // NOLINT
  struct pollfd fds[2] = {{stop_.fd(), POLLIN, 0}, {sign.fd, events, 0}};
  sys::Poll(fds, sign.fd < 0 ? 1 : 2, deadline);
  return fds[0].revents == 0;
}

bool EndWait::Pause(Deadline deadline) {
  struct pollfd stop = {stop_.fd(), POLLIN, 0};
  sys::Poll(&stop, 1, deadline);
  return stop.revents == 0;
}

}  // namespace ferry
