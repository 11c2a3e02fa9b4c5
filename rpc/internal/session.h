// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SESSION_H_
#define FERRY_RPC_INTERNAL_SESSION_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/service_registry.h"

namespace ferry::internal {

// The serving half of one connection. Thread contract: the leader of its lane reads and
// serves; Close on any thread.
class Session final : private RequestSink {
 public:
  // `registry` outlives the session.
  Session(std::unique_ptr<Transport> transport, const ConnectionOptions& options,
          const ServiceRegistry& registry)
      : registry_(registry),
        connection_(std::move(transport), Connection::Side::kAccepted, options, this) {}

  Connection& connection() { return connection_; }

  // As the connection's, but also runs the handler of a request.
  Connection::Step HandleNext() {
    // A handler that is not this thread's any more has taken its request all the same.
    connection_.GiveCredit(TakeCredit());
    return connection_.HandleNext();
  }

 private:
  class ServedCall;

  void OnRequest(const FrameHeader& header, Body& body) override;
  uint32_t TakeCredit() {
    if (in_hand_.load(std::memory_order_relaxed) == 0) return 0;
    return in_hand_.exchange(0, std::memory_order_relaxed);
  }

  const ServiceRegistry& registry_;

  // Bytes of the request whose handler the leader runs. Who takes them gives them back: the
  // reply, or the leader's successor. Relaxed: it is a number and nothing else.
  std::atomic<uint32_t> in_hand_{0};
  Connection connection_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SESSION_H_
