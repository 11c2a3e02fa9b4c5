// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALL_ORIGIN_H_
#define FERRY_RPC_INTERNAL_CALL_ORIGIN_H_

#include <google/protobuf/message_lite.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "ferry/rpc/metadata.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

class CallOrigin;
class ChannelBase;
class StreamReactor;

// A call that outlives its handler. Thread contract: that of CallOrigin; Reply once.
class OpenCall {
 public:
  virtual ~OpenCall() = default;
  virtual CallOrigin& origin() = 0;
  // Ends the call: with `reply` when the status is OK.
  virtual void Reply(const absl::Status& status, const google::protobuf::MessageLite* reply) = 0;
};

// A call that is served, as its handler sees it. Thread contract: thread-safe, but for what
// belongs to the handler: SendInitialMetadata and both metadata that are sent.
class CallOrigin {
 public:
  virtual const Peer& peer() const = 0;
  // Nobody waits for the reply any more.
  virtual bool IsCancelled() const = 0;
  virtual void OnCancel(std::function<void()> callback) = 0;
  virtual Deadline deadline() const = 0;
  virtual const Metadata& metadata() const = 0;
  virtual Metadata& initial_metadata() = 0;
  virtual Metadata& trailing_metadata() = 0;
  virtual bool SendInitialMetadata() = 0;
  // Takes the call from its handler, whose own end is of no account then.
  virtual std::shared_ptr<OpenCall> Keep() = 0;
  // The same: the reactor is told what comes.
  virtual void LeaveTo(StreamReactor& reactor) = 0;
  // To who has made the call.
  virtual std::shared_ptr<ChannelBase> channel() = 0;

 protected:
  ~CallOrigin() = default;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALL_ORIGIN_H_
