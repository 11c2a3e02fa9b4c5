// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The child's end of the link to the parent that has started it (child_link.h has the
// other), which the environment variable FERRY_PARENT tells of:
//
//   pipe:3,4   two anonymous pipes: it reads the first descriptor, writes the second, and
//              its stdin, stdout and stderr are not touched, as with the next two
//   unix:3     a socket
//   shm:3      shared memory, with a socket beside it; behind it, as of an address, the
//              parameters that hold for both ends: shm:3?ring=64KiB&trusted=1
//   stdio:…    its stdin and stdout: see stdio_link.h

#ifndef FERRY_TRANSPORT_PARENT_LINK_H_
#define FERRY_TRANSPORT_PARENT_LINK_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/transport/listener.h"

namespace ferry {

// How long handlers may run on after the parent has ended: then the process ends, with
// exit code 1 and a line on stderr. Infinite: for ever.
inline constexpr absl::Duration kDefaultOrphanGrace = absl::Seconds(5);

// In the child: the link to the parent, as a listener that accepts once; FERRY_PARENT is
// unset then. Not to be called while another thread uses the environment. The process
// ends `orphan_grace`, or the default, after its parent if the listener is still there.
// Returns: FAILED_PRECONDITION when there is no parent that speaks ferry, with what to
// do about it.
absl::StatusOr<std::unique_ptr<Listener>> ListenToParent(
    std::optional<absl::Duration> orphan_grace);

// The same over stdin and stdout, for whoever has started this process. Unless that is
// ferry, it need not be the one that calls, and the default is an infinite grace.
absl::StatusOr<std::unique_ptr<Listener>> ListenToStdio(std::optional<absl::Duration> orphan_grace);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_PARENT_LINK_H_
