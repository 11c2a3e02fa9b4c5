// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SESSION_H_
#define FERRY_RPC_INTERNAL_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "ferry/rpc/internal/call_origin.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/entrance.h"
#include "ferry/rpc/internal/service_registry.h"

namespace ferry::internal {

// The serving half of one connection. Thread contract: the leader of its lane reads and
// serves; SayGoodbye by who shuts that down; Close, peer and is_gone on any thread.
class Session final : public CallOrigin, private RequestSink {
 public:
  // `registry` outlives the session.
  Session(std::unique_ptr<Transport> transport, std::shared_ptr<const Entrance> entrance,
          const ServiceRegistry& registry);
  // By itself: in a test.
  Session(std::unique_ptr<Transport> transport, size_t max_message,
          const ServiceRegistry& registry);

  Connection& connection() { return connection_; }
  const Entrance& entrance() const { return *entrance_; }

  // Another thread reads now, beside the handler that ran there.
  void HandedOver() { free_handlers_.fetch_sub(1, std::memory_order_relaxed); }
  // Handlers that run there. The acquire pairs with the release of each that has returned.
  int64_t detached_handlers() const {
    return max_handlers_ - free_handlers_.load(std::memory_order_acquire);
  }

  // No handler of it runs any more, nor will one. Once all replies have left, tells the client
  // that no other call was executed, and closes; until then it is to be called again.
  void SayGoodbye();

  const Peer& peer() const override { return connection_.peer(); }
  bool is_gone() const override { return !close_reason().ok(); }
  absl::Status close_reason() const { return connection_.close_reason(); }

  // As the connection's, but also runs the handler of a request.
  Connection::Step HandleNext() {
    // A handler that is not this thread's any more has taken its request all the same.
    connection_.GiveCredit(TakeCredit());
    return connection_.HandleNext();
  }

 private:
  class ServedCall;

  void OnRequest(const FrameHeader& header, Body& body) override;
  void OnGreeted() override;
  void OnRefused(const absl::Status& status) override;
  void RefuseCall(CallId call) ABSL_ATTRIBUTE_COLD;
  uint32_t TakeCredit() {
    if (in_hand_.load(std::memory_order_relaxed) == 0) return 0;
    return in_hand_.exchange(0, std::memory_order_relaxed);
  }

  const ServiceRegistry& registry_;
  const std::shared_ptr<const Entrance> entrance_;
  const int64_t max_handlers_;
  // How many may begin beside those whose threads read no more; one too many for a moment.
  std::atomic<int64_t> free_handlers_;
  bool said_goodbye_ = false;
  // Bytes of the request whose handler the leader runs. Who takes them gives them back: the
  // reply, or the leader's successor. Relaxed: it is a number and nothing else.
  std::atomic<uint32_t> in_hand_{0};
  Connection connection_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SESSION_H_
