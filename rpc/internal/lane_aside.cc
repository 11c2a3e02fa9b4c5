// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How the thread that leads a lane lets those lead that wait for calls on its connection.

#include <memory>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

// By the leader, with nothing to do. It leads again afterwards, unless another thread of the lane
// does, or that has ended, or it has run something else meanwhile.
void Lane::StandAside(Leader& leader) {
  Aside& aside = *aside_;
  const Aside::Stay stay = aside.Begin();
  leader.Vacate();
  if (has_queued()) aside.Recall();  // by who did not see it here
  while (!leader.leads() && !leader.ended() && aside.Await(stay)) {
    leader.TakeVacant();
    if (leader.leads()) break;
    if (has_queued()) return LeaveAside(leader, stay);
    {
      MutexLock lock(mutex_);  // as Vacate: it finds this, or what it has vacated is found here
      aside.WantEndOfVisit();
    }
    leader.TakeVacant();
  }
  aside.End(stay);
}

// While a visitor leads, for what that does not run. Nobody counts on this thread from now on.
void Lane::LeaveAside(Leader& leader, Aside::Stay stay) {
  aside_->End(stay);
  { MutexLock lock(mutex_); }  // as Vacate, which looks for somebody else behind it
  aside_->SeeRecalls();
  leader.TakeVacant();
  if (!leader.leads()) RunQueuedBeside(leader);
}

// Until one of them has led, while it waited.
void Lane::RunQueuedBeside(Leader& leader) {
  while (!leader.leads()) {
    std::shared_ptr<QueuedRequest> queued = TakeQueued();
    if (queued == nullptr) return;
    RunQueued(leader, *queued);
  }
}

// For a thread that waits beside the leader; not if that would be missed.
void Lane::AskToStandAside(Session& session) {
  if (aside_ == nullptr || aside_->is_taken()) return;
  if (aside_->has_requests() || session.connection().caller().has_unwaited()) return;
  if (aside_->Ask()) WakeLeader();
}

// False if no thread is free to lead in place of this one.
bool Lane::CallSuccessor() { return RecallFromAside() || RunOnPool(shared_from_this()); }

// False if there is nobody who would come.
bool Lane::RecallFromAside() { return aside_ != nullptr && aside_->Recall(); }

}  // namespace ferry::internal
