// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALL_ORIGIN_H_
#define FERRY_RPC_INTERNAL_CALL_ORIGIN_H_

#include "ferry/transport/transport.h"

namespace ferry::internal {

// Where a call that is served comes from. Thread contract: thread-safe.
class CallOrigin {
 public:
  virtual const Peer& peer() const = 0;
  // Nobody waits for the reply any more.
  virtual bool is_gone() const = 0;

 protected:
  ~CallOrigin() = default;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALL_ORIGIN_H_
