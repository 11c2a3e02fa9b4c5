// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/server_lane.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "ferry/rpc/internal/lane_leader.h"

namespace ferry::internal {
namespace {

// When it is another connection's turn, if the frames of one come as fast as that.
constexpr int kFramesPerTurn = 64;
constexpr std::chrono::milliseconds kTurn{1};
constexpr int kFramesPerClock = 4;

// How often the set is looked at while sessions are hot, which is in their way: after so many looks
// at them, or so much time, which is found out every few turns only.
constexpr int kMostCallsBetweenSets = 64;
constexpr int kMostReadsBetweenSets = 4096;
constexpr absl::Duration kBetweenSets = absl::Microseconds(100);
constexpr uint64_t kTurnsBetweenClocks = 4;

absl::Status ShutDown() { return absl::CancelledError("the server was shut down"); }

void TellClosed(const Session& session) {
  session.entrance().Tell(ferry::Event::Type::kClosed, &session.peer(), session.close_reason());
}

}  // namespace

// At once, though its leader may be in a handler; what it is just taking in is refused.
void ServerLane::StopAccepting() {
  {
    MutexLock lock(mutex_);
    accepts_ = false;
  }
  std::vector<std::shared_ptr<const Entrance>> entrances;
  for (const Door& door : TakeDoors()) {
    if (!door.listener->accepts_once()) set_->Remove(*door.listener);
    entrances.push_back(door.entrance);
  }
  for (const auto& entrance : entrances) {
    entrance->Tell(ferry::Event::Type::kDraining, nullptr, absl::OkStatus());
  }
}

std::vector<std::shared_ptr<Session>> ServerLane::Sessions() {
  std::vector<std::shared_ptr<Session>> sessions;
  MutexLock lock(mutex_);
  for (const auto& [id, session] : sessions_) sessions.push_back(session);
  for (const auto& left : leaving_) {
    if (auto session = left.lock()) sessions.push_back(std::move(session));
  }
  return sessions;
}

void ServerLane::EndNow() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  CloseAll();
  set_->Interrupt();
}

void ServerLane::CloseAll() {
  for (const auto& session : Sessions()) session->Close(ShutDown());
}

absl::Status ServerLane::outcome() {
  MutexLock lock(mutex_);
  return outcome_;
}

Lane::Step ServerLane::ServeNext(const Leader& leader) { return TakeNext(leader); }

Lane::Step ServerLane::ServeOwn(const Leader& leader, Session& session) {
  return Serve(session.id(), session.shared_from_this(), leader);
}

// A handler of the current session has cost another the lead: now it is others' turn.
void ServerLane::TookOver() {
  Id id = current_.load(std::memory_order_relaxed);
  if (id == 0) return;  // nobody led
  std::shared_ptr<Session> session = Find(id);
  if (session == nullptr) session = FindLeaving(id);
  if (session != nullptr) {
    session->connection().sender().FlushDeferred();
    session->HandedOver();
    AddTimer(*session, session->next_deadline());
  }
  current_.store(0, std::memory_order_release);
  EndTurn(id);
}

// Until nothing of what has arrived is left, its turn is over, or a handler has made
// another the leader.
Lane::Step ServerLane::Serve(Id id, const std::shared_ptr<Session>& session, const Leader& leader) {
  Step step = ServeTurn(id, session, leader);
  session->connection().sender().FlushDeferred();
  return step;
}

Lane::Step ServerLane::ServeTurn(Id id, const std::shared_ptr<Session>& session,
                                 const Leader& leader) {
  std::chrono::steady_clock::time_point end;
  for (int i = 0; i < kFramesPerTurn; ++i) {
    // A frame and nothing behind it is the usual, and does without the clock; the rest mostly.
    if (i == 2) end = std::chrono::steady_clock::now() + kTurn;
    if (i > 2 && i % kFramesPerClock == 0 && std::chrono::steady_clock::now() > end) break;
    current_.store(id, std::memory_order_release);  // for who takes the lead while a handler runs
    Connection::Step step = session->HandleNext();
    if (!leader.leads()) return Step::kGoOn;
    current_.store(0, std::memory_order_release);
    if (leader.ended()) return Step::kEnd;
    switch (step) {
      case Connection::Step::kHandled:
        // The rest is for who has called its handler, or for its next wait.
        if (leader.has_news(*session)) return Step::kGoOn;
        if (leader.yields()) return EndTurn(id);
        continue;
      case Connection::Step::kEmpty:
        AddTimer(*session, std::min(session->connection().caller().async_deadline(),
                                    session->next_deadline()));
        if (!spinner_.Skips() && hot_.Add(id, session)) return Step::kGoOn;
        hot_.Remove(id);
        if (!session->connection().Arm()) return Step::kGoOn;
        session->connection().TakeIn();
        continue;
      case Connection::Step::kClosed:
        Drop(id);
        // While others still get their replies, it is no reason to end.
        return id == lifeline_ && accepts() ? End(session->close_reason()) : Step::kGoOn;
    }
  }
  return EndTurn(id);
}

Lane::Step ServerLane::EndTurn(Id id) {
  hot_.Remove(id);
  set_->Notify(id);
  return Step::kGoOn;
}

Lane::Step ServerLane::TakeNext(const Leader& leader) {
  Deadline timer = std::min(NextTimer(), leader.wait_deadline());
  News news;
  if (hot_.empty() || !LookForNews(timer, news)) {
    hot_.CoolAll();
    news.in_set = set_->Next(timer);
    spinner_.HasSlept();
  }
  if (news.hot != nullptr) {
    HotSessions::Entry hot = *news.hot;
    Step step = Serve(hot.id, hot.session, leader);
    if (leader.leads()) NoteHotTurn();
    return step;
  }
  if (HasPassed(timer)) RunTimers();
  return TakeFromSet(news.in_set, leader);
}

Lane::Ready ServerLane::ServeReady(const Leader& leader) {
  if (is_ending()) return End(ShutDown()), Ready::kEnd;
  if (HasPassed(NextTimer())) RunTimers();
  std::optional<Id> id = set_->Next(Deadline::min());
  if (!id.has_value()) return Ready::kNothing;
  return TakeFromSet(id, leader) == Step::kEnd ? Ready::kEnd : Ready::kServed;
}

void ServerLane::PrepareSleep() {
  hot_.CoolAll();
  // Without one, timers run when there is something else to do.
  set_->Alarm(std::min(NextTimer(), tick_)).IgnoreError();
}

absl::Status ServerLane::Join(std::shared_ptr<Session> session) {
  Id id = session->id();
  {
    MutexLock lock(mutex_);
    if (ending_) return ShutDown();
    sessions_.emplace(id, session);
  }
  absl::Status joined = session->connection().transport().Join(*set_, id);
  set_->Notify(id);  // perhaps only to find that it is closed
  return joined;
}

Lane::Step ServerLane::TakeFromSet(std::optional<Id> id, const Leader& leader) {
  if (!id.has_value()) return is_ending() ? End(ShutDown()) : Step::kGoOn;
  std::shared_ptr<Session> session = Find(*id);
  if (session == nullptr) {
    std::optional<Door> door = FindDoor(*id);
    return door.has_value() ? AcceptAt(*id, *door) : Step::kGoOn;
  }
  session->connection().TakeIn();
  return Serve(*id, session, leader);
}

// Without a sleep; false if it is time for one.
bool ServerLane::LookForNews(Deadline timer, News& news) {
  Spinner::Look kind = hot_.polls_memory() ? Spinner::Look::kMemory : Spinner::Look::kCall;
  return spinner_.Spin(kind, hot_.spin_limit(), timer, [&] {
    if (looks_until_set_ == 0) return LookAtSet(timer, news);
    --looks_until_set_;
    news.hot = hot_.Poll();
    return news.hot != nullptr;
  });
}

// Behind the turn: its peer has its reply by now.
void ServerLane::NoteHotTurn() {
  if (++hot_turns_ % kTurnsBetweenClocks == 0 && HasPassed(set_is_due_)) looks_until_set_ = 0;
}

// Those who are not hot, who connect or have had a turn, are not kept waiting. Where there
// was somebody just now there may be more.
bool ServerLane::LookAtSet(Deadline timer, News& news) {
  news.in_set = set_->Next(Deadline::min());
  set_is_due_ = DeadlineAfter(kBetweenSets);
  looks_between_sets_ =
      news.in_set.has_value()
          ? 0
          : std::min(2 * looks_between_sets_ + 1,
                     hot_.polls_memory() ? kMostReadsBetweenSets : kMostCallsBetweenSets);
  // Those who are hot do not show in the set, however long it has somebody.
  looks_until_set_ = std::max(looks_between_sets_, static_cast<int>(hot_.size()));
  return news.in_set.has_value() || HasPassed(timer) || is_ending();
}

bool ServerLane::accepts() {
  MutexLock lock(mutex_);
  return accepts_;
}

bool ServerLane::is_ending() {
  MutexLock lock(mutex_);
  return ending_;
}

// Gives the names up now: a spare thread may hold the lane for longer than Serve runs.
Lane::Step ServerLane::End(const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    outcome_ = why;
    ending_ = true;
    accepts_ = false;
  }
  CloseAll();
  hot_.Clear();
  TakeDoors();
  absl::flat_hash_map<Id, std::shared_ptr<Session>> sessions;  // destroyed without the lock
  {
    MutexLock lock(mutex_);
    sessions.swap(sessions_);
  }
  for (const auto& [id, session] : sessions) TellClosed(*session);
  return Step::kEnd;
}

void ServerLane::Drop(Id id) {
  if (!paused_.empty()) resume_at_ = Deadline::min();  // its descriptors are free now
  hot_.Remove(id);
  std::shared_ptr<Session> session;
  {
    MutexLock lock(mutex_);
    auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    session = std::move(found->second);
    sessions_.erase(found);
    leaving_.erase(std::remove_if(leaving_.begin(), leaving_.end(),
                                  [](const auto& left) { return left.expired(); }),
                   leaving_.end());
    if (session->detached_handlers() != 0) leaving_.push_back(session);
  }
  DropQueued(*session);
  if (!session->is_ours()) admission_.Leave(session->entrance(), session->peer());
  TellClosed(*session);
}

}  // namespace ferry::internal
