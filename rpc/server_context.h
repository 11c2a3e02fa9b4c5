// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_SERVER_CONTEXT_H_
#define FERRY_RPC_SERVER_CONTEXT_H_

#include "ferry/rpc/internal/call_origin.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/transport.h"

namespace ferry {

// What a handler knows of the call it serves; valid until it returns. Thread contract:
// thread-safe.
class ServerContext {
 public:
  // For ferry.
  ServerContext(const Method& method, const internal::CallOrigin& origin)
      : method_(method), origin_(origin) {}

  const Method& method() const { return method_; }
  // Who calls.
  const Peer& peer() const { return origin_.peer(); }

  // The reply would go nowhere: the client has gone, or the server shuts down and the grace
  // is over. A handler that runs for long asks now and then, and returns.
  bool IsCancelled() const { return origin_.is_gone(); }

 private:
  const Method& method_;
  const internal::CallOrigin& origin_;
};

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_CONTEXT_H_
