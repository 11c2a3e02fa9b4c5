// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SOLE_LANE_H_
#define FERRY_RPC_INTERNAL_SOLE_LANE_H_

#include <memory>
#include <utility>
#include <vector>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// The lane of a connection that has it for itself: its leader sleeps in the transport,
// which costs fewer system calls than a sleep for many. Thread contract: that of Lane.
class SoleLane final : public Lane {
 public:
  SoleLane(WorkerPool& pool, Supervisor& supervisor, std::shared_ptr<Session> session)
      : Lane(pool, supervisor), session_(std::move(session)) {}

  void StopAccepting() override {
    session_->entrance().Tell(ferry::Event::Type::kDraining, nullptr, absl::OkStatus());
  }
  std::vector<std::shared_ptr<Session>> Sessions() override { return {session_}; }
  void EndNow() override {
    session_->connection().Close(absl::CancelledError("the server was shut down"));
  }

 private:
  std::shared_ptr<Session> Current() override { return session_; }
  void TookOver() override { session_->HandedOver(); }

  Step ServeNext(const Leader&) override {
    switch (session_->HandleNext()) {
      case Connection::Step::kHandled:
        break;
      case Connection::Step::kEmpty:
        session_->connection().WaitForFrames(kNoDeadline, false);
        break;
      case Connection::Step::kClosed:
        return Step::kEnd;
    }
    return Step::kGoOn;
  }

  const std::shared_ptr<Session> session_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SOLE_LANE_H_
