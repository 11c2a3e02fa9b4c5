// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_PEER_POLICY_H_
#define FERRY_TRANSPORT_PEER_POLICY_H_

#include <functional>

#include "absl/status/status.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Decides whether this process talks to a peer: OK, or why not, which a server tells its
// client.
// Runs before anything of the peer is read, on the thread that connects or, in a server,
// on the one that reads all connections: it must not wait.
using PeerPolicy = std::function<absl::Status(const Peer&)>;

// The usual policy: this process's user and root. A peer whose user is not known has
// started this process, was started by it, or came over a transport that does not tell.
// Returns: PERMISSION_DENIED for others.
absl::Status AdmitOwnUserAndRoot(const Peer& peer);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_PEER_POLICY_H_
