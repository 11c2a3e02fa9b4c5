// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_EXECUTED_REQUEST_H_
#define FERRY_RPC_INTERNAL_EXECUTED_REQUEST_H_

#include <memory>
#include <utility>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// A request that the user's executor runs, or drops: then its call fails. Thread contract: owned by
// whoever runs it, once.
class ExecutedRequest {
 public:
  ExecutedRequest(std::shared_ptr<Lane> lane, CallId call, std::shared_ptr<QueuedRequest> request)
      : lane_(std::move(lane)),
        session_(request->session()->shared_from_this()),
        call_(call),
        request_(std::move(request)) {}
  ExecutedRequest(ExecutedRequest&&) = default;
  ~ExecutedRequest() {
    if (request_ == nullptr) return;
    session_->EndEarly(call_, absl::UnavailableError("the server's executor dropped the call"));
  }

  void operator()() { lane_->RunBeside(std::exchange(request_, nullptr)); }

 private:
  std::shared_ptr<Lane> lane_;
  std::shared_ptr<Session> session_;
  CallId call_;
  std::shared_ptr<QueuedRequest> request_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_EXECUTED_REQUEST_H_
