// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SERVER_LANE_H_
#define FERRY_RPC_INTERNAL_SERVER_LANE_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/internal/admission.h"
#include "ferry/rpc/internal/entrance.h"
#include "ferry/rpc/internal/hot_sessions.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/spinner.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/wait_set.h"

namespace ferry::internal {

// The lane of a server on many connections: its leader sleeps for all of them, and for
// those who want to connect. A connection that sleeps takes memory and nothing else.
//
// Thread contract: Add before the lane is led, the rest that of Lane.
class ServerLane final : public Lane {
 public:
  using Id = WaitSet::Id;

  // What is given by reference outlives the lane. `max_connections` counts those of all
  // entrances that have no limit of their own.
  ServerLane(std::shared_ptr<WorkerPool> pool, Supervisor& supervisor,
             const ServiceRegistry& registry, size_t max_connections, std::unique_ptr<WaitSet> set)
      : Lane(std::move(pool), supervisor),
        registry_(registry),
        set_(std::move(set)),
        admission_(max_connections),
        hot_(*set_) {}

  // Returns: RESOURCE_EXHAUSTED when the system has no room for it; of a listener that
  // accepts_once: OUT_OF_RANGE when its peer has been accepted, and what `admit` says.
  absl::Status Add(std::unique_ptr<Listener> listener, std::shared_ptr<const Entrance> entrance);

  // Why it has ended, once it has: CANCELLED after EndNow, else why the last connection
  // of a listener that accepts_once was closed, or what a listener said.
  absl::Status outcome();

  // A connection that is there already, of this id. Returns: what Transport::Join does. On any
  // thread; it is read from now on.
  absl::Status Join(std::shared_ptr<Session> session);
  Id NewId() { return ++last_id_; }

  // Left to a loop: it polls as readable when Dispatch has something to do; and is called then, at
  // the latest. The latter on the thread that dispatches.
  int wait_handle() const { return set_->handle(); }
  const std::shared_ptr<WaitSet>& set() const { return set_; }
  void set_tick(Deadline tick) { tick_ = tick; }

  void StopAccepting() override;
  std::vector<std::shared_ptr<Session>> Sessions() override;
  void EndNow() override;

 private:
  struct Shaking {  // a connection whose peer has not said hello
    Deadline deadline;
    Id id;
  };
  struct Door {
    std::shared_ptr<Listener> listener;
    std::shared_ptr<const Entrance> entrance;
    bool admits;  // it lets nobody in who may not enter
  };

  Step ServeNext(const Leader& leader) override;
  Step ServeOwn(const Leader& leader, Session& session) override;
  std::shared_ptr<Session> Current() override { return Find(current_.load()); }
  void SetCurrent(const Session* session) override {
    current_.store(session == nullptr ? 0 : session->id(), std::memory_order_release);
  }
  void TookOver() override;
  Ready ServeReady(const Leader& leader) override;
  void PrepareSleep() override;
  void WakeLeader() override { set_->Interrupt(); }
  void GiveTurn(const Session& session) override { EndTurn(session.id()); }
  void AddTimer(const Session& session, Deadline deadline) override;
  Step Serve(Id id, const std::shared_ptr<Session>& session, const Leader& leader);
  Step ServeTurn(Id id, const std::shared_ptr<Session>& session, const Leader& leader);
  Step TakeNext(const Leader& leader);
  Step TakeFromSet(std::optional<Id> id, const Leader& leader);
  struct News {
    const HotSessions::Entry* hot = nullptr;
    std::optional<Id> in_set;
  };
  bool LookForNews(Deadline timer, News& news);
  bool LookAtSet(Deadline timer, News& news);
  void NoteHotTurn();
  Step EndTurn(Id id);
  Step End(const absl::Status& why);
  void CloseAll();
  bool is_ending();
  bool accepts();
  void Drop(Id id);
  std::shared_ptr<Session> Find(Id id);
  std::shared_ptr<Session> FindLeaving(Id id);

  // Who comes in: server_doors.cc.
  absl::Status AddLifeline(const Door& door);
  Step AcceptAt(Id id, const Door& door);
  absl::Status MayEnter(const Entrance& entrance, const Peer& peer);
  absl::Status Admit(const Entrance& entrance, Transport& transport);
  absl::StatusOr<Id> Open(std::unique_ptr<Transport> transport,
                          const std::shared_ptr<const Entrance>& entrance);
  std::optional<Door> FindDoor(Id id);
  std::vector<Door> TakeDoors();
  void Pause(Id id, const absl::Status& why);
  void Resume();
  void AddShaking(const Shaking& shaking);
  size_t CountShaking();
  void RunTimers();
  void ExpireCalls();
  Deadline NextTimer();

  const ServiceRegistry& registry_;
  // Owned by the leader.
  const std::shared_ptr<WaitSet> set_;  // kept by what joins it
  Admission admission_;
  std::vector<Id> paused_;  // doors for which there was no descriptor left
  Deadline resume_at_ = kNoDeadline;
  std::deque<Shaking> shaking_;
  // When calls of sessions end for their deadlines, and the first of these times.
  absl::flat_hash_map<Id, Deadline> call_timers_;
  Deadline next_call_timer_ = kNoDeadline;
  Deadline tick_ = kNoDeadline;
  Id lifeline_ = 0;  // the connection with which the lane ends
  HotSessions hot_;
  Spinner spinner_;
  int looks_until_set_ = 0;  // of those at hot sessions
  int looks_between_sets_ = 0;
  uint64_t hot_turns_ = 0;
  Deadline set_is_due_;

  std::atomic<Id> last_id_{WaitSet::kFirstId};  // relaxed: nothing but a number

  // The session whose handler runs; 0: none. Stored by the leader: the release pairs with the
  // load in Current, so that who sees one sees the role at least as it was then.
  std::atomic<Id> current_{0};

  Mutex mutex_;
  absl::flat_hash_map<Id, std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
  // Dropped ones with handlers that still run.
  std::vector<std::weak_ptr<Session>> leaving_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Id, Door> doors_ ABSL_GUARDED_BY(mutex_);
  bool accepts_ ABSL_GUARDED_BY(mutex_) = true;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SERVER_LANE_H_
