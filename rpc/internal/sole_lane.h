// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SOLE_LANE_H_
#define FERRY_RPC_INTERNAL_SOLE_LANE_H_

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// The lane of a connection that has it for itself: its leader sleeps in the transport,
// which costs fewer system calls than a sleep for many. Thread contract: that of Lane.
class SoleLane final : public Lane {
 public:
  static std::shared_ptr<SoleLane> Create(std::shared_ptr<WorkerPool> pool, Supervisor& supervisor,
                                          std::shared_ptr<Session> session) {
    auto lane = std::make_shared<SoleLane>(std::move(pool), supervisor, std::move(session));
    lane->session_->set_lane(lane);
    return lane;
  }
  // For Create.
  SoleLane(std::shared_ptr<WorkerPool> pool, Supervisor& supervisor,
           std::shared_ptr<Session> session)
      // A server is to be there for its peer at once.
      : Lane(std::move(pool), supervisor, session->is_ours() ? &session->aside() : nullptr),
        session_(std::move(session)) {}

  void StopAccepting() override {
    session_->entrance().Tell(ferry::Event::Type::kDraining, nullptr, absl::OkStatus());
  }
  std::vector<std::shared_ptr<Session>> Sessions() override { return {session_}; }
  void EndNow() override { session_->Close(absl::CancelledError("the server was shut down")); }

 private:
  std::shared_ptr<Session> Current() override { return session_; }
  void SetCurrent(const Session* session) override { is_in_handler_ = session != nullptr; }
  void GiveTurn(const Session&) override {}
  void AddTimer(const Session&, Deadline deadline) override { timer_ = std::min(timer_, deadline); }
  void TookOver() override {
    session_->connection().sender().FlushDeferred();
    if (is_in_handler_) session_->HandedOver();
    AddTimer(*session_, session_->next_deadline());
  }

  // It is never left to a loop.
  Ready ServeReady(const Leader&) override { return Ready::kNothing; }
  void PrepareSleep() override {}
  void WakeLeader() override { session_->connection().transport().Interrupt(); }

  Step ServeOwn(const Leader& leader, Session&) override { return ServeNext(leader); }

  Step ServeNext(const Leader& leader) override {
    is_in_handler_ = true;  // if it becomes one
    Connection::Step step = session_->HandleNext();
    if (!leader.leads()) return Step::kGoOn;
    if (step == Connection::Step::kClosed) return Step::kEnd;
    if (step == Connection::Step::kEmpty) {
      timer_ = std::min(
          {timer_, session_->connection().caller().async_deadline(), session_->next_deadline()});
      if (!leader.waits() && session_->aside().is_wanted()) return Step::kStandAside;
      session_->connection().WaitForFrames(
          std::min(timer_, leader.wait_deadline()),
          leader.waits() || session_->is_interrupted() || session_->detached_handlers() != 0,
          leader.waits() ? nullptr : &session_->aside());
    } else if (leader.has_news(*session_) || leader.yields() || has_queued()) {
      session_->connection().sender().FlushDeferred();  // something else comes first
    }
    if (HasPassed(timer_)) {
      session_->connection().sender().FlushDeferred();
      timer_ = session_->ExpireCalls();
    }
    return Step::kGoOn;
  }

  const std::shared_ptr<Session> session_;
  // Owned by the leader.
  Deadline timer_ = kNoDeadline;
  bool is_in_handler_ = true;  // or else has left the lane to whoever comes
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SOLE_LANE_H_
