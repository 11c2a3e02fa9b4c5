// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_RUN_ONCE_H_
#define FERRY_RPC_INTERNAL_RUN_ONCE_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/rpc/internal/worker_pool.h"

namespace ferry::internal {

// Something to be said of a call that has no connection: on a pool, or on a lane, beside a session
// if there is one. Thread contract: owned by whoever runs it.
class RunOnce final : public WorkerPool::Task, public QueuedRequest {
 public:
  explicit RunOnce(absl::AnyInvocable<void()> run, std::shared_ptr<Session> session = nullptr)
      : run_(std::move(run)), session_(std::move(session)) {}

  void Run() override {
    if (session_ == nullptr) return run_();
    session_->RunCallback([this] { run_(); });
  }
  void RunHere() { run_(); }
  Session* session() override { return session_.get(); }
  bool is_droppable() const override { return false; }

 private:
  absl::AnyInvocable<void()> run_;
  const std::shared_ptr<Session> session_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_RUN_ONCE_H_
