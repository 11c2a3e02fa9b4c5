// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALL_ORIGIN_H_
#define FERRY_RPC_INTERNAL_CALL_ORIGIN_H_

#include <functional>
#include <memory>

#include "ferry/rpc/metadata.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

class ChannelBase;

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
  // To who has made the call; null when it cannot be.
  virtual std::shared_ptr<ChannelBase> channel() = 0;

 protected:
  ~CallOrigin() = default;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALL_ORIGIN_H_
