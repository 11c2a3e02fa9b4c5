// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_SERVER_CONTEXT_H_
#define FERRY_RPC_SERVER_CONTEXT_H_

#include <functional>
#include <memory>
#include <utility>

#include "ferry/rpc/internal/call_origin.h"
#include "ferry/rpc/metadata.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/transport.h"

namespace ferry {

class Channel;

// What a handler knows of the call it serves; valid until it returns. Thread contract:
// thread-safe, but for the metadata that are sent: those are the handler's thread's.
class ServerContext {
 public:
  // For ferry.
  ServerContext(const Method& method, internal::CallOrigin& origin)
      : method_(method), origin_(origin) {}

  const Method& method() const { return method_; }
  // Who calls.
  const Peer& peer() const { return origin_.peer(); }

  // For calls to who calls: if that serves anything (ChannelOptions::services), else they fail
  // UNIMPLEMENTED. A handler's call back runs on the thread that waits for the handler's own call,
  // so that a lock which that thread holds over its call does not meet itself, and no side needs
  // more than one thread. The channel may be kept: it keeps nothing itself, and once the client
  // has gone its calls fail UNAVAILABLE. Close on it ends the connection.
  Channel channel() const;

  // The reply would go nowhere: the client has cancelled the call or has gone, the deadline has
  // passed, or the server shuts down and the grace is over. A handler that runs for long asks
  // now and then, and returns; reads and writes of streams answer false.
  bool IsCancelled() const { return origin_.IsCancelled(); }

  // Runs `callback` when that happens, at once if it has: once, on the thread that finds out,
  // which reads the connection, so that it must not wait. Takes back the one before, and waits if
  // that is running; so OnCancel(nullptr) comes before what a callback refers to goes away, such
  // as the handler's own variables. Not from inside a callback.
  void OnCancel(std::function<void()> callback) { origin_.OnCancel(std::move(callback)); }

  // When the client stops waiting; kNoDeadline if it does not. Calls that the handler makes on
  // its thread end then, too (CallOptions::inherit_deadline).
  Deadline deadline() const { return origin_.deadline(); }

  // What the client has sent along.
  const Metadata& metadata() const { return origin_.metadata(); }

  // Fill these in for the client. The initial ones leave with the first message of a stream,
  // or with the reply, or by SendInitialMetadata, which answers false when the call has ended;
  // the trailing ones with the reply. What Metadata::Validate refuses fails the call with
  // INTERNAL.
  Metadata& initial_metadata() { return origin_.initial_metadata(); }
  Metadata& trailing_metadata() { return origin_.trailing_metadata(); }
  bool SendInitialMetadata() { return origin_.SendInitialMetadata(); }

  // For AnswerLater.
  std::shared_ptr<internal::OpenCall> Keep() { return origin_.Keep(); }
  // For React: answers what the handler returns.
  absl::Status LeaveTo(internal::StreamReactor& reactor) {
    origin_.LeaveTo(reactor);
    return absl::OkStatus();
  }

 private:
  const Method& method_;
  internal::CallOrigin& origin_;
};

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_CONTEXT_H_
