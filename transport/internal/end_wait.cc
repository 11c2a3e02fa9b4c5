// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/end_wait.h"

#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

bool EndWait::Wait(const Transport& transport, Deadline deadline) {
  Transport::EndSign sign = transport.end_sign();
  const auto events = static_cast<short>(sign.is_process ? POLLIN : POLLRDHUP);  // NOLINT
  struct pollfd fds[2] = {{wake_.fd(), POLLIN, 0}, {sign.fd, events, 0}};
  sys::Poll(fds, sign.fd < 0 ? 1 : 2, deadline);
  if (fds[0].revents != 0) wake_.Clear();
  return !is_stopped_.load();
}

bool EndWait::Pause(Deadline deadline) {
  while (!is_stopped_.load() && !HasPassed(deadline)) {
    struct pollfd wake = {wake_.fd(), POLLIN, 0};
    sys::Poll(&wake, 1, deadline);
    if (wake.revents != 0) wake_.Clear();
  }
  return !is_stopped_.load();
}

}  // namespace ferry::internal
