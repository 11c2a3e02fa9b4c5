// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_SHM_OPTIONS_H_
#define FERRY_TRANSPORT_SHM_OPTIONS_H_

#include <cstddef>

namespace ferry {

struct ShmOptions {
  // Bytes of payloads that may be under way from this side; the other side has a ring of
  // its own. Rounded up to whole pages. From 4 KiB to 64 MiB.
  size_t ring = size_t{64} << 10;

  // The peer is believed not to change a message that it has sent: it is parsed where it
  // lies in the ring, without a copy. Not for a process that could be made to do evil.
  bool trusted = false;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_SHM_OPTIONS_H_
