// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/server_lane.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/hello.h"

namespace ferry::internal {
namespace {

// How soon accepting is tried again after there was no descriptor left for it.
constexpr absl::Duration kPause = absl::Milliseconds(100);

// When it is another connection's turn, if the frames of one come as fast as that.
constexpr int kFramesPerTurn = 64;
constexpr std::chrono::milliseconds kTurn{1};

// How often the set is looked at while sessions are hot: after so many looks at them, or
// so much time, which is found out every few turns only.
constexpr int kMostCallsBetweenSets = 64;
constexpr int kMostReadsBetweenSets = 4096;
constexpr absl::Duration kBetweenSets = absl::Microseconds(20);
constexpr uint64_t kTurnsBetweenClocks = 4;

absl::Status ShutDown() { return absl::CancelledError("the server was shut down"); }

}  // namespace

absl::Status ServerLane::Add(std::unique_ptr<Listener> listener) {
  Id id = ++last_id_;
  absl::Status added = listener->accepts_once() ? AddLifeline(*listener) : set_->Add(*listener, id);
  if (!added.ok()) return added;
  if (listener->AdmitBy([this](const Peer& peer) { return MayEnter(peer); })) admits_.insert(id);
  listeners_.emplace(id, std::move(listener));
  return added;
}

// The connection to who started this process; it may take its time to say hello.
absl::Status ServerLane::AddLifeline(Listener& listener) {
  absl::StatusOr<std::unique_ptr<Transport>> transport = listener.TryAccept();
  if (!transport.ok()) return transport.status();
  if (absl::Status admitted = Admit(**transport); !admitted.ok()) return admitted;
  absl::StatusOr<Id> opened = Open(*std::move(transport));
  if (opened.ok()) lifeline_ = *opened;
  return opened.status();
}

void ServerLane::Shutdown() {
  {
    MutexLock lock(mutex_);
    shut_down_ = true;
  }
  CloseAll();
  set_->Interrupt();
}

void ServerLane::CloseAll() {
  absl::flat_hash_map<Id, std::shared_ptr<Session>> sessions;
  {
    MutexLock lock(mutex_);
    sessions = sessions_;
  }
  for (const auto& [id, session] : sessions) session->connection().Close(ShutDown());
}

absl::Status ServerLane::outcome() {
  MutexLock lock(mutex_);
  return outcome_;
}

Lane::Step ServerLane::ServeNext(const Leader& leader) {
  // A handler of this session has cost another the lead: now it is others' turn.
  if (current_ != 0) return GiveTurn(std::exchange(current_, 0));
  return TakeNext(leader);
}

// Until nothing of what has arrived is left, its turn is over, or a handler has made
// another the leader.
Lane::Step ServerLane::Serve(Id id, const std::shared_ptr<Session>& session, const Leader& leader) {
  std::chrono::steady_clock::time_point end;
  for (int i = 0; i < kFramesPerTurn; ++i) {
    // A frame and nothing behind it is the usual, and does without the clock.
    if (i == 2) end = std::chrono::steady_clock::now() + kTurn;
    if (i > 2 && std::chrono::steady_clock::now() > end) break;
    current_ = id;  // for who takes the lead while a handler runs
    Connection::Step step = session->HandleNext();
    if (!leader.leads()) return Step::kGoOn;
    current_ = 0;
    switch (step) {
      case Connection::Step::kHandled:
        continue;
      case Connection::Step::kEmpty:
        if (!spinner_.Skips() && hot_.Add(id, session)) return Step::kGoOn;
        hot_.Remove(id);
        if (!session->connection().Arm()) return Step::kGoOn;
        session->connection().TakeIn();
        continue;
      case Connection::Step::kClosed:
        Drop(id);
        return id == lifeline_ ? End(session->connection().close_reason()) : Step::kGoOn;
    }
  }
  return GiveTurn(id);
}

Lane::Step ServerLane::GiveTurn(Id id) {
  hot_.Remove(id);
  set_->Notify(id);
  return Step::kGoOn;
}

Lane::Step ServerLane::TakeNext(const Leader& leader) {
  Deadline timer = NextTimer();
  News news;
  if (hot_.empty() || !LookForNews(timer, news)) {
    hot_.CoolAll();
    news.in_set = set_->Next(timer);
    spinner_.HasSlept();
  }
  if (news.hot != nullptr) {
    HotSessions::Entry hot = *news.hot;
    return Serve(hot.id, hot.session, leader);
  }
  if (HasPassed(timer)) RunTimers();
  return TakeFromSet(news.in_set, leader);
}

Lane::Step ServerLane::TakeFromSet(std::optional<Id> id, const Leader& leader) {
  if (!id.has_value()) return is_shut_down() ? End(ShutDown()) : Step::kGoOn;
  std::shared_ptr<Session> session = Find(*id);
  if (session == nullptr) return Accept(*id);
  session->connection().TakeIn();
  return Serve(*id, session, leader);
}

// Without a sleep; false if it is time for one.
bool ServerLane::LookForNews(Deadline timer, News& news) {
  Spinner::Look kind = hot_.polls_memory() ? Spinner::Look::kMemory : Spinner::Look::kCall;
  bool found = spinner_.Spin(kind, hot_.spin_limit(), timer, [&] {
    if (looks_until_set_ == 0) return LookAtSet(timer, news);
    --looks_until_set_;
    news.hot = hot_.Poll();
    return news.hot != nullptr;
  });
  if (news.hot != nullptr && ++hot_turns_ % kTurnsBetweenClocks == 0 && HasPassed(set_is_due_)) {
    looks_until_set_ = 0;
  }
  return found;
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
  return news.in_set.has_value() || HasPassed(timer) || is_shut_down();
}

bool ServerLane::is_shut_down() {
  MutexLock lock(mutex_);
  return shut_down_;
}

Lane::Step ServerLane::End(const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    outcome_ = why;
    shut_down_ = true;
  }
  CloseAll();
  hot_.Clear();
  // Gives the names up now: a spare thread may hold the lane for longer than Serve runs.
  // What accepts_once stays, since it may guard this process while handlers run.
  absl::erase_if(listeners_, [](const auto& entry) { return !entry.second->accepts_once(); });
  absl::flat_hash_map<Id, std::shared_ptr<Session>> sessions;  // destroyed without the lock
  MutexLock lock(mutex_);
  sessions.swap(sessions_);
  return Step::kEnd;
}

Lane::Step ServerLane::Accept(Id id) {
  auto found = listeners_.find(id);
  if (found == listeners_.end()) return Step::kGoOn;  // gone meanwhile
  absl::StatusOr<std::unique_ptr<Transport>> transport = found->second->TryAccept();
  if (absl::IsResourceExhausted(transport.status())) {
    Pause(id);
  } else if (!transport.ok()) {
    return End(transport.status());
  } else if (*transport != nullptr && (admits_.contains(id) || Admit(**transport).ok())) {
    absl::StatusOr<Id> opened = Open(*std::move(transport));
    if (!opened.ok()) {
      Pause(id);
    } else if (Deadline deadline = DeadlineAfter(limits_.handshake_timeout);
               deadline != kNoDeadline) {
      shaking_.push_back({deadline, *opened});
    }
  }
  return Step::kGoOn;
}

absl::Status ServerLane::MayEnter(const Peer& peer) {
  absl::Status admitted = limits_.admit(peer);
  size_t count;
  {
    MutexLock lock(mutex_);
    count = sessions_.size();
  }
  if (!admitted.ok() || count < limits_.max_connections) return admitted;
  return absl::ResourceExhaustedError(
      absl::StrCat("the server has ", count, " connections, and allows no more"));
}

// A peer that is not wanted is told so.
absl::Status ServerLane::Admit(Transport& transport) {
  absl::Status admitted = MayEnter(transport.peer());
  if (!admitted.ok()) Refuse(transport, admitted);
  return admitted;
}

absl::StatusOr<ServerLane::Id> ServerLane::Open(std::unique_ptr<Transport> transport) {
  Id id = ++last_id_;
  if (absl::Status joined = transport->Join(*set_, id); !joined.ok()) return joined;
  auto session = std::make_shared<Session>(std::move(transport), limits_.connection, registry_);
  {
    MutexLock lock(mutex_);
    if (!shut_down_) sessions_.emplace(id, session);
  }
  if (session->connection().Arm()) set_->Notify(id);
  return id;
}

void ServerLane::Drop(Id id) {
  if (!paused_.empty()) resume_at_ = Deadline::min();  // its descriptors are free now
  hot_.Remove(id);
  MutexLock lock(mutex_);
  sessions_.erase(id);
}

void ServerLane::Pause(Id id) {
  set_->Remove(*listeners_.at(id));
  paused_.push_back(id);
  resume_at_ = DeadlineAfter(kPause);
}

void ServerLane::RunTimers() {
  if (HasPassed(resume_at_)) {
    resume_at_ = kNoDeadline;
    for (Id id : std::exchange(paused_, {})) {
      if (set_->Add(*listeners_.at(id), id).ok()) {
        set_->Notify(id);  // its handle may be silent about who was there before
      } else {
        Pause(id);
      }
    }
  }
  for (; !shaking_.empty() && HasPassed(shaking_.front().deadline); shaking_.pop_front()) {
    std::shared_ptr<Session> session = Find(shaking_.front().id);
    if (session == nullptr || session->connection().greeted()) continue;
    session->connection().Close(absl::DeadlineExceededError("no hello"));
    Drop(shaking_.front().id);
  }
}

// Those who have said hello cause no wakeup.
Deadline ServerLane::NextTimer() {
  for (; !shaking_.empty(); shaking_.pop_front()) {
    std::shared_ptr<Session> session = Find(shaking_.front().id);
    if (session != nullptr && !session->connection().greeted()) break;
  }
  return std::min(resume_at_, shaking_.empty() ? kNoDeadline : shaking_.front().deadline);
}

std::shared_ptr<Session> ServerLane::Find(Id id) {
  MutexLock lock(mutex_);
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

}  // namespace ferry::internal
