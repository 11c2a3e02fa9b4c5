// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A lane without threads: somebody else's loop comes by.

#include <utility>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {
namespace {

// What one Dispatch does at most: turns of connections, and things in the queue.
constexpr int kMostTurns = 64;

}  // namespace

void Lane::LeaveToLoop() {
  is_left_to_loop_ = true;
  Leader leader(*this, LeaderRole::kFirstTerm);
  leader.Vacate();
}

bool Lane::Dispatch() {
  if (!AddThreadUnlessEnded()) return false;
  bool end = false;
  {
    Leader leader(*this);
    leader.TakeVacant();
    for (int i = 0; i < kMostTurns && leader.leads() && !end; ++i) {
      if (std::shared_ptr<QueuedRequest> queued = TakeQueued()) {
        if (queued->session() != nullptr) {
          RunQueued(leader, *queued);
        } else {
          leader.Vacate();  // as no handler: it may call, and wait
          queued->Run();
          leader.TakeVacant();
        }
      } else {
        Ready ready = ServeReady(leader);
        if (ready == Ready::kNothing) break;
        end = ready == Ready::kEnd;
      }
      end = end || leader.ended();
    }
    if (end) RunLast(leader);
    if (leader.leads()) leader.Vacate();
  }
  RemoveThread(end);
  return !end;
}

void Lane::Leader::TakeVacant() {
  auto term = lane_.role_.TryTake(lane_.asked_.load(std::memory_order_relaxed));
  if (!term.has_value()) return;
  lane_.TookOver();
  term_ = *term;
  leads_ = true;
}

// Whoever comes next may lead: to them it looks like a handler, of no connection.
void Lane::Leader::Vacate() {
  own_ = nullptr;
  if (lane_.is_left_to_loop_) lane_.PrepareSleep();
  lane_.SetCurrent(nullptr);
  lane_.pace_.store(nullptr, std::memory_order_relaxed);
  term_ = lane_.role_.EnterHandler(term_);
  leads_ = false;
  const LeaderRole::Word vacant = term_ | LeaderRole::kInHandler;
  lane_.vacant_word_.store(vacant, std::memory_order_relaxed);
  if (lane_.IsAsideTaken()) {
    lane_.NoteAsked(vacant);
    lane_.WakeWaiting();
    lane_.aside_->VisitEnded();
    if (!lane_.IsAsideTaken() && !lane_.RunOnPool(lane_.shared_from_this())) lane_.WakeWaiting();
    return;
  }
  lane_.AskForSuccessor(vacant);
  if (lane_.is_left_to_loop_ && lane_.queued_.load(std::memory_order_relaxed) != 0) {
    lane_.WakeLeader();
  }
}

}  // namespace ferry::internal
