// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_LANE_LEADER_H_
#define FERRY_RPC_INTERNAL_LANE_LEADER_H_

#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/method_pace.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/rpc/internal/sender.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

class Session;
struct DirectRead;

// The thread that leads, while it does; and one that runs a handler beside it.
class Lane::Leader final : public Leadership {
 public:
  Leader(Lane& lane, LeaderRole::Term term) : lane_(lane), term_(term), leads_(true) {}
  explicit Leader(Lane& lane) : lane_(lane) {}

  // That of this thread. REQUIRES: there is one.
  static Leader& Current() { return static_cast<Leader&>(*Leadership::Current()); }
  // The same; null when it is none of that lane's.
  static Leader* CurrentOf(const Lane* lane) {
    auto* leader = static_cast<Leader*>(Leadership::Current());
    return leader != nullptr && &leader->lane_ == lane ? leader : nullptr;
  }
  bool is_current() const { return Leadership::Current() == this; }

  bool leads() const { return leads_; }
  // It is in a handler or callback, or visits.
  bool has_own() const { return own_ != nullptr; }
  // The lane has ended meanwhile.
  bool ended() const { return lane_.has_ended_.load(std::memory_order_relaxed); }

  // Around each handler; when EnterHandler answers false, it must not run. `waits_much`: it is
  // better off without the lead.
  bool EnterHandler(Session& session, MethodPace& pace, bool waits_much);
  void LeaveHandler() { leads_ = leads_ && lane_.role_.LeaveHandler(term_); }

  // In a handler of that session: returns when the wait has been told, or past the deadline,
  // and now and then for no reason. If this thread reads meanwhile, `direct` may be filled in.
  // Runs the handlers that are nested in the wait.
  void Await(Session& session, HandlerWait& wait, Deadline deadline, DirectRead* direct);
  void RunNested(HandlerWait& wait);

  // Its handler waits, and this thread reads meanwhile, for the handler until that deadline.
  bool waits() const { return wait_ != nullptr; }
  Deadline wait_deadline() const { return wait_deadline_; }
  // It waits no more, and what is left to be read can be read later.
  bool has_news(const Session& session) const {
    return wait_ != nullptr && wait_->told() && &session == waiting_session_;
  }
  // For a spare thread, which then leads, too, so that this thread is in nobody's way.
  void Queue(std::shared_ptr<QueuedRequest> request);

  // As a handler that belongs to no call.
  void RunCallback(Session& session, MethodPace& pace, absl::FunctionRef<void()> callback);
  bool yields() const { return yields_; }

  // Nobody else leads, nor has found its handler slow: so it will look again soon. Sequentially
  // consistent, as is who finds otherwise.
  bool keeps_lead() const {
    LeaderRole::Word word = term_ | LeaderRole::kInHandler;
    return leads_ && lane_.role_.word() == word && lane_.slow_word_.load() != word;
  }

  // A handler was slow just now: what else has arrived may be, too, and is not to wait
  // until each is found to be.
  bool is_cautious() const { return lane_.one_was_slow_.load(std::memory_order_relaxed); }

  void BeforeWait() override { Sender::Cork::Release(); }
  // Asks a spare thread to take over.
  void PassOn() override {
    if (leads_) lane_.AskForSuccessor(term_ | LeaderRole::kInHandler);
  }

 private:
  friend class Lane;
  bool TryTakeLead();
  bool LeaveForWait();
  void GoOn();
  void EndVisit(Session& session);
  void Vacate();
  void TakeVacant();
  bool OfferLead();
  void SleepBeside(HandlerWait& wait, Deadline deadline);
  void LeadMeanwhile(Session& session, HandlerWait& wait, Deadline deadline, DirectRead* direct);

  Lane& lane_;
  LeaderRole::Term term_ = 0;
  bool leads_ = false;
  bool yields_ = false;
  bool waits_much_ = false;
  // Of its handler, or of the visit.
  Session* own_ = nullptr;
  MethodPace* pace_ = nullptr;
  const HandlerWait* wait_ = nullptr;
  const Session* waiting_session_ = nullptr;
  Deadline wait_deadline_ = kNoDeadline;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_LANE_LEADER_H_
