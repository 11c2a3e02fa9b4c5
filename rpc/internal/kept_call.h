// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_KEPT_CALL_H_
#define FERRY_RPC_INTERNAL_KEPT_CALL_H_

#include <memory>

#include "ferry/rpc/internal/assembly.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/call_origin.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/served_call.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// A call that a handler has kept for later. To the lane it is a handler that still runs, beside the
// thread that reads. Thread contract: that of OpenCall.
class KeptCall final : public OpenCall {
 public:
  static std::shared_ptr<KeptCall> Create(Session& session, ServedCall& call) {
    auto kept = std::make_shared<KeptCall>(session, call);
    kept->call_.set_owner(kept);
    return kept;
  }

  // For Create.
  KeptCall(Session& session, ServedCall& call)
      : session_(session.shared_from_this()), lane_(session.lane()), call_(call, nothing_) {
    if (lane_ != nullptr) lane_->AddSuspended(1);
    session_->Detach();
  }
  ~KeptCall() override {
    session_->Attach();
    if (lane_ != nullptr) lane_->AddSuspended(-1);
  }

  ServedCall& call() { return call_; }
  Session& session() { return *session_; }

  CallOrigin& origin() override { return call_.origin(); }
  void Reply(const absl::Status& status, const google::protobuf::MessageLite* reply) override {
    call_.Reply(status, reply);
  }

 private:
  const std::shared_ptr<Session> session_;
  const std::shared_ptr<Lane> lane_;
  Assembly no_bytes_;
  Body nothing_{no_bytes_};
  ServedCall call_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_KEPT_CALL_H_
