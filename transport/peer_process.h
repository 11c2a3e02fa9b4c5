// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_PEER_PROCESS_H_
#define FERRY_TRANSPORT_PEER_PROCESS_H_

#include "absl/status/status.h"
#include "ferry/transport/deadline.h"

namespace ferry {

// The process at the other end of a transport, where it is known. Its end is the end of
// the connection, even if another process holds its descriptors. Thread contract:
// thread-safe.
class PeerProcess {
 public:
  virtual ~PeerProcess() = default;

  // Polls as readable when the process has ended. Open as long as this object lives.
  virtual int pid_fd() const = 0;

  // UNAVAILABLE with why the connection has just ended, for the error of the calls that
  // it breaks. May wait a moment for the answer, and hardly beyond `deadline`.
  virtual absl::Status ExplainEnd(Deadline deadline) = 0;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_PEER_PROCESS_H_
