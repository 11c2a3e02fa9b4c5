// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_LISTENER_H_
#define FERRY_TRANSPORT_LISTENER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Accepts transports at an endpoint. Thread contract: Accept on one thread, Close on
// any.
class Listener {
 public:
  virtual ~Listener() = default;

  // Blocks until somebody connects.
  // Returns: CANCELLED after Close; OUT_OF_RANGE when nobody can connect any more.
  virtual absl::StatusOr<std::unique_ptr<Transport>> Accept() = 0;

  // True for `parent:` and `stdio:`, which have one peer and no other.
  virtual bool accepts_once() const { return false; }

  // Ends a blocked Accept and all later ones. Accepted transports live on.
  virtual void Close() = 0;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_LISTENER_H_
