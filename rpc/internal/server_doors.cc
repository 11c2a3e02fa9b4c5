// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Who comes in to a ServerLane, and has to say hello; and who is there.

#include <algorithm>
#include <iterator>
#include <utility>

#include "ferry/rpc/internal/hello.h"
#include "ferry/rpc/internal/server_lane.h"

namespace ferry::internal {
namespace {

// How soon accepting is tried again after there was no descriptor left for it.
constexpr absl::Duration kPause = absl::Milliseconds(100);

// When those who have said hello meanwhile are looked for at the latest.
constexpr size_t kManyShaking = 1024;

}  // namespace

absl::Status ServerLane::Add(std::unique_ptr<Listener> listener,
                             std::shared_ptr<const Entrance> entrance) {
  Id id = ++last_id_;
  Door door = {std::move(listener), std::move(entrance), false};
  absl::Status added =
      door.listener->accepts_once() ? AddLifeline(door) : set_->Add(*door.listener, id);
  if (!added.ok()) return added;
  door.admits = door.listener->AdmitBy(
      [this, entrance = door.entrance](const Peer& peer) { return MayEnter(*entrance, peer); });
  MutexLock lock(mutex_);
  doors_.emplace(id, std::move(door));
  return added;
}

// The connection to who started this process; it may take its time to say hello.
absl::Status ServerLane::AddLifeline(const Door& door) {
  absl::StatusOr<std::unique_ptr<Transport>> transport = door.listener->TryAccept();
  if (!transport.ok()) return transport.status();
  if (absl::Status admitted = Admit(*door.entrance, **transport); !admitted.ok()) return admitted;
  absl::StatusOr<Id> opened = Open(*std::move(transport), door.entrance);
  if (opened.ok()) lifeline_ = *opened;
  return opened.status();
}

std::optional<ServerLane::Door> ServerLane::FindDoor(Id id) {
  MutexLock lock(mutex_);
  auto found = doors_.find(id);
  if (found == doors_.end()) return std::nullopt;  // gone meanwhile
  return found->second;
}

// Closes all, once the caller and who is just accepting have let go of them. What accepts_once
// stays, too, since it may guard this process while handlers run.
std::vector<ServerLane::Door> ServerLane::TakeDoors() {
  std::vector<Door> doors;
  MutexLock lock(mutex_);
  for (const auto& [id, door] : doors_) doors.push_back(door);
  absl::erase_if(doors_, [](const auto& entry) { return !entry.second.listener->accepts_once(); });
  return doors;
}

Lane::Step ServerLane::AcceptAt(Id id, const Door& door) {
  absl::StatusOr<std::unique_ptr<Transport>> transport = door.listener->TryAccept();
  if (absl::IsResourceExhausted(transport.status())) {
    Pause(id, transport.status());
  } else if (!transport.ok()) {
    return End(transport.status());
  } else if (*transport != nullptr && (door.admits || Admit(*door.entrance, **transport).ok())) {
    absl::StatusOr<Id> opened = Open(*std::move(transport), door.entrance);
    if (!opened.ok()) {
      Pause(id, opened.status());
    } else {
      AddShaking({DeadlineAfter(door.entrance->options.handshake_timeout), *opened});
    }
  }
  return Step::kGoOn;
}

// In the order of their deadlines, which addresses may set.
void ServerLane::AddShaking(const Shaking& shaking) {
  auto at = shaking_.end();
  while (at != shaking_.begin() && std::prev(at)->deadline > shaking.deadline) --at;
  shaking_.insert(at, shaking);
}

absl::Status ServerLane::MayEnter(const Entrance& entrance, const Peer& peer) {
  size_t enough = std::min(entrance.options.max_handshakes, kManyShaking);
  size_t shaking = shaking_.size() < enough ? 0 : CountShaking();
  absl::Status admitted = admission_.MayEnter(entrance, peer, shaking);
  if (!admitted.ok()) entrance.Tell(ferry::Event::Type::kRefused, &peer, admitted);
  return admitted;
}

// A peer that is not wanted is told so.
absl::Status ServerLane::Admit(const Entrance& entrance, Transport& transport) {
  absl::Status admitted = MayEnter(entrance, transport.peer());
  if (!admitted.ok()) Refuse(transport, admitted);
  return admitted;
}

absl::StatusOr<ServerLane::Id> ServerLane::Open(std::unique_ptr<Transport> transport,
                                                const std::shared_ptr<const Entrance>& entrance) {
  Id id = ++last_id_;
  bool accepts;
  {
    MutexLock lock(mutex_);
    accepts = accepts_;
  }
  if (!accepts) {
    Refuse(*transport, absl::UnavailableError("the server is shutting down"));
    return id;
  }
  if (absl::Status joined = transport->Join(*set_, id); !joined.ok()) return joined;
  auto session = std::make_shared<Session>(std::move(transport), entrance, registry_, id);
  session->set_lane(weak_from_this(), set_);
  {
    MutexLock lock(mutex_);
    if (!accepts_) return id;  // it goes with the session
    sessions_.emplace(id, session);
  }
  admission_.Enter(*entrance, session->peer());
  if (session->connection().Arm()) set_->Notify(id);
  return id;
}

void ServerLane::Pause(Id id, const absl::Status& why) {
  std::optional<Door> door = FindDoor(id);
  if (!door.has_value()) return;
  set_->Remove(*door->listener);
  paused_.push_back(id);
  resume_at_ = DeadlineAfter(kPause);
  door->entrance->Tell(ferry::Event::Type::kAcceptPaused, nullptr, why);
}

void ServerLane::Resume() {
  resume_at_ = kNoDeadline;
  for (Id id : std::exchange(paused_, {})) {
    std::optional<Door> door = FindDoor(id);
    if (!door.has_value()) continue;
    if (absl::Status added = set_->Add(*door->listener, id); !added.ok()) {
      Pause(id, added);
    } else {
      set_->Notify(id);  // its handle may be silent about who was there before
    }
  }
}

// Forgets those who have said it, or have gone.
size_t ServerLane::CountShaking() {
  auto is_done = [this](const Shaking& shaking) {
    std::shared_ptr<Session> session = Find(shaking.id);
    return session == nullptr || session->connection().greeted();
  };
  shaking_.erase(std::remove_if(shaking_.begin(), shaking_.end(), is_done), shaking_.end());
  return shaking_.size();
}

void ServerLane::AddTimer(const Session& session, Deadline deadline) {
  if (deadline == kNoDeadline) return;
  auto [timer, added] = call_timers_.try_emplace(session.id(), deadline);
  if (!added) timer->second = std::min(timer->second, deadline);
  next_call_timer_ = std::min(next_call_timer_, deadline);
}

void ServerLane::ExpireCalls() {
  next_call_timer_ = kNoDeadline;
  for (auto timer = call_timers_.begin(); timer != call_timers_.end();) {
    auto& [id, deadline] = *timer;
    if (HasPassed(deadline)) {
      std::shared_ptr<Session> session = Find(id);
      deadline = session == nullptr ? kNoDeadline : session->ExpireCalls();
    }
    next_call_timer_ = std::min(next_call_timer_, deadline);
    if (deadline == kNoDeadline) {
      call_timers_.erase(timer++);
    } else {
      ++timer;
    }
  }
}

void ServerLane::RunTimers() {
  if (HasPassed(resume_at_)) Resume();
  if (HasPassed(next_call_timer_)) ExpireCalls();
  for (; !shaking_.empty() && HasPassed(shaking_.front().deadline); shaking_.pop_front()) {
    std::shared_ptr<Session> session = Find(shaking_.front().id);
    if (session == nullptr || session->connection().greeted()) continue;
    session->Close(absl::DeadlineExceededError("no hello"));
    Drop(shaking_.front().id);
  }
}

// Those who have said hello cause no wakeup.
Deadline ServerLane::NextTimer() {
  for (; !shaking_.empty(); shaking_.pop_front()) {
    std::shared_ptr<Session> session = Find(shaking_.front().id);
    if (session != nullptr && !session->connection().greeted()) break;
  }
  Deadline hello = shaking_.empty() ? kNoDeadline : shaking_.front().deadline;
  return std::min({resume_at_, hello, next_call_timer_});
}

// Dropped in a wait of its own handler, which goes on.
std::shared_ptr<Session> ServerLane::FindLeaving(Id id) {
  MutexLock lock(mutex_);
  for (const auto& left : leaving_) {
    std::shared_ptr<Session> session = left.lock();
    if (session != nullptr && session->id() == id) return session;
  }
  return nullptr;
}

std::shared_ptr<Session> ServerLane::Find(Id id) {
  MutexLock lock(mutex_);
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

}  // namespace ferry::internal
