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
  Aside& aside = *this->aside();
  const Aside::Stay stay = aside.Begin();
  leader.Vacate();
  if (has_queued()) aside.Recall();  // by who did not see it here
  while (!leader.leads() && !leader.ended() && aside.Await(stay)) {
    leader.TakeVacant();
    if (leader.leads()) break;
    if (has_queued()) return LeaveAside(leader, stay);
    {
      MutexLock lock(mutex_);  // as Vacate: it finds this, or what it has vacated is found here
      aside.AwaitEndOfVisit();
    }
    leader.TakeVacant();
  }
  aside.End(stay);
}

// While a visitor leads, for what that does not run. Nobody counts on this thread from now on.
void Lane::LeaveAside(Leader& leader, Aside::Stay stay) {
  aside()->End(stay);
  { MutexLock lock(mutex_); }  // as Vacate, which looks for somebody else behind it
  aside()->SeeRecalls();
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
  Aside* aside = this->aside();
  if (aside == nullptr || aside->is_taken()) return;
  if (aside->has_requests() || session.connection().caller().has_unwaited()) return;
  if (aside->Ask()) WakeLeader();
}

// False if there is nobody who would come.
bool Lane::RecallFromAside() { return aside() != nullptr && aside()->Recall(); }

}  // namespace ferry::internal
