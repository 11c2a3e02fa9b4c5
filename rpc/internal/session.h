// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SESSION_H_
#define FERRY_RPC_INTERNAL_SESSION_H_

#include <cstddef>
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
  Session(std::unique_ptr<Transport> transport, size_t max_message, const ServiceRegistry& registry)
      : registry_(registry),
        connection_(std::move(transport), Connection::Side::kAccepted, max_message, this) {}

  // Reads it, and answers its close_reason. The handlers of its requests run within
  // HandleNext.
  Connection& connection() { return connection_; }

 private:
  class ServedCall;

  void OnRequest(const FrameHeader& header, Body& body) override;

  const ServiceRegistry& registry_;
  Connection connection_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SESSION_H_
