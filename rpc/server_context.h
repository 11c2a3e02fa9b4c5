// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_SERVER_CONTEXT_H_
#define FERRY_RPC_SERVER_CONTEXT_H_

#include "ferry/rpc/method.h"
#include "ferry/transport/transport.h"

namespace ferry {

// What a handler knows of the call it serves; valid until it returns. Thread contract:
// thread-compatible.
class ServerContext {
 public:
  // For ferry.
  ServerContext(const Method& method, const Peer& peer) : method_(method), peer_(peer) {}

  const Method& method() const { return method_; }
  // Who calls.
  const Peer& peer() const { return peer_; }

 private:
  const Method& method_;
  const Peer& peer_;
};

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_CONTEXT_H_
