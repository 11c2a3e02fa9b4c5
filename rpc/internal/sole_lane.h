// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SOLE_LANE_H_
#define FERRY_RPC_INTERNAL_SOLE_LANE_H_

#include <memory>
#include <utility>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// The lane of a connection that has it for itself: its leader sleeps in the transport,
// which costs fewer system calls than a sleep for many. Thread contract: that of Lane.
class SoleLane final : public Lane {
 public:
  SoleLane(WorkerPool& pool, Supervisor& supervisor, std::shared_ptr<Session> session)
      : Lane(pool, supervisor), session_(std::move(session)) {}

 private:
  Step ServeNext(const Leader&) override {
    switch (session_->HandleNext()) {
      case Connection::Step::kHandled:
        break;
      case Connection::Step::kEmpty:
        session_->connection().WaitForFrames(kNoDeadline);
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
