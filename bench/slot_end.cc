// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "slot_end.h"

#include <poll.h>

namespace ferry::bench {

bool SlotEnd::PeerIsThere() const {
  struct pollfd peer = {peer_, 0, 0};
  return poll(&peer, 1, 0) == 0;
}

}  // namespace ferry::bench
