// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_LISTENER_H_
#define FERRY_TRANSPORT_LISTENER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ferry/transport/peer_policy.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Accepts transports at an endpoint, and gives the name up when it is destroyed;
// accepted transports live on. Thread contract: thread-compatible.
class Listener {
 public:
  virtual ~Listener() = default;

  // Takes a connection that has arrived; null when there is none now. Never sleeps.
  // Returns: RESOURCE_EXHAUSTED when who waits cannot be accepted now, as for lack of
  // descriptors or memory: try again later, whatever the handle says; OUT_OF_RANGE when
  // nobody can connect any more; else what is wrong for good.
  virtual absl::StatusOr<std::unique_ptr<Transport>> TryAccept() = 0;

  // Polls as readable when TryAccept may find somebody. -1 where accepts_once.
  virtual int wait_handle() const = 0;

  // For who hands something out before it is known who comes: from now on it asks `admit`
  // itself, and tells who is refused. Answers whether it does; else that is the caller's.
  virtual bool AdmitBy(const PeerPolicy& /*admit*/) { return false; }

  // True for `parent:` and `stdio:`, which have one peer and no other; it is there from
  // the beginning.
  virtual bool accepts_once() const { return false; }
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_LISTENER_H_
