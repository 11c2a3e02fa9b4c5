// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_INTERCEPTED_REACTOR_H_
#define FERRY_RPC_INTERNAL_INTERCEPTED_REACTOR_H_

#include <google/protobuf/message_lite.h>

#include <memory>
#include <utility>

#include "ferry/rpc/internal/intercepted.h"
#include "ferry/rpc/internal/stream_reactor.h"

namespace ferry::internal {

// The reactor of a call that is seen; deletes itself at the end. Thread contract: that of
// StreamReactor.
class InterceptedReactor final : public StreamReactor {
 public:
  InterceptedReactor(Intercepted seen, StreamReactor& reactor)
      : seen_(std::move(seen)), reactor_(reactor) {}

  Intercepted& seen() { return seen_; }

  void Begin(std::shared_ptr<StreamControl> control) override {
    reactor_.Begin(std::move(control));
  }
  google::protobuf::MessageLite* Incoming() override { return reactor_.Incoming(); }
  void OnIncoming() override { reactor_.OnIncoming(); }
  void OnWritable() override { reactor_.OnWritable(); }
  void OnOver(const absl::Status& status) override {
    absl::Status told = seen_.End(status);
    StreamReactor& reactor = reactor_;
    delete this;
    reactor.OnOver(told);
  }

 private:
  Intercepted seen_;
  StreamReactor& reactor_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_INTERCEPTED_REACTOR_H_
