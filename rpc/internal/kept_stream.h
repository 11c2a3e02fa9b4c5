// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_KEPT_STREAM_H_
#define FERRY_RPC_INTERNAL_KEPT_STREAM_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "ferry/rpc/internal/kept_call.h"
#include "ferry/rpc/internal/served_call.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/rpc/internal/stream_reactor.h"
#include "ferry/rpc/internal/turns.h"

namespace ferry::internal {

// A call with streams that a handler has left to a reactor. It keeps itself until it has told that
// of its end. Thread contract: that of StreamControl and Turns; Begin by the handler's thread.
class KeptStream final : public Turns,
                         public StreamControl,
                         public std::enable_shared_from_this<KeptStream> {
 public:
  // Takes the call, which is shared, from its handler.
  static void Begin(Session& session, ServedCall& call, StreamReactor& reactor);
  // For Begin.
  KeptStream(Session& session, ServedCall& call, StreamReactor& reactor);

  bool Write(const google::protobuf::MessageLite& message) override;
  void PauseReads(bool pause) override;
  void Finish(const absl::Status& status, const google::protobuf::MessageLite* reply) override;
  CallOrigin* origin() override { return &call().origin(); }

  Session* session() override { return &kept_->session(); }

 private:
  ServedCall& call() { return kept_->call(); }
  // In a forked child nobody leaves any more, nor waits.
  bool EnterUnlessForked();
  ConnectionReader& reader() override;
  Step Next() override;
  void End();

  std::shared_ptr<KeptStream> self_;  // until the end
  std::shared_ptr<KeptCall> kept_;    // until the end
  StreamReactor& reactor_;
  std::atomic<bool> finishes_{false};
  std::atomic<bool> is_finished_{false};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_KEPT_STREAM_H_
