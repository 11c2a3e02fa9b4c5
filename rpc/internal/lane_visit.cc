// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Threads that wait for calls on a connection that a lane reads, and are none of the lane's.

#include <memory>
#include <utility>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// As a handler of the session that another thread runs beside the leader. False when the lane has
// ended.
template <typename Body>
bool Lane::AsVisitor(Session& session, Body body) {
  if (!AddThreadUnlessEnded()) return false;
  session.Detach();
  bool end;
  {
    Leader visitor(*this);
    visitor.own_ = &session;
    body(visitor);
    visitor.EndVisit(session);
    end = visitor.ended();
    if (end) RunLast(visitor);
  }
  RemoveThread(end);
  return true;
}

void Lane::Visit(Session& session, HandlerWait& wait, Deadline deadline) {
  bool visited =
      AsVisitor(session, [&](Leader& visitor) { visitor.Await(session, wait, deadline, nullptr); });
  if (!visited) wait.Sleep(deadline);
}

void Lane::RunNestedOfVisit(Session& session, HandlerWait& wait) {
  AsVisitor(session, [&](Leader& visitor) { visitor.RunNested(wait); });
}

// Its handler may have taken the lead, while it waited.
void Lane::RunBeside(std::shared_ptr<QueuedRequest> request) {
  if (!AddThreadUnlessEnded()) return;
  bool end;
  {
    Leader leader(*this);
    RunQueued(leader, *request);
    request.reset();
    end = leader.ended();
    if (end) RunLast(leader);
    if (leader.leads()) leader.Vacate();
  }
  RemoveThread(end);
}

void Lane::Leader::EndVisit(Session& session) {
  leads_ = leads_ && lane_.role_.LeaveHandler(term_);
  if (!leads_) return session.Attach();
  lane_.GiveTurn(session);  // whose frames nobody reads on behind this visit
  Vacate();
  if (ended()) lane_.RecallFromAside();
}

}  // namespace ferry::internal
