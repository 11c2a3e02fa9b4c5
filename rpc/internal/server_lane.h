// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SERVER_LANE_H_
#define FERRY_RPC_INTERNAL_SERVER_LANE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/rpc/internal/hot_sessions.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/spinner.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/peer_policy.h"
#include "ferry/transport/wait_set.h"

namespace ferry::internal {

// The lane of a server on many connections: its leader sleeps for all of them, and for
// those who want to connect. A connection that sleeps takes memory and nothing else.
//
// Thread contract: Add before the lane is led, Shutdown on any thread, the rest that of
// Lane.
class ServerLane final : public Lane {
 public:
  struct Limits {
    ConnectionOptions connection;
    size_t max_connections;
    absl::Duration handshake_timeout;
    PeerPolicy admit;
  };

  // What is given by reference outlives the lane.
  ServerLane(WorkerPool& pool, Supervisor& supervisor, const ServiceRegistry& registry,
             const Limits& limits, std::unique_ptr<WaitSet> set)
      : Lane(pool, supervisor),
        registry_(registry),
        limits_(limits),
        set_(std::move(set)),
        hot_(*set_) {}

  // Returns: RESOURCE_EXHAUSTED when the system has no room for it; of a listener that
  // accepts_once: OUT_OF_RANGE when its peer has been accepted, and what `admit` says.
  absl::Status Add(std::unique_ptr<Listener> listener);

  // Ends the lane, and every connection at once.
  void Shutdown();

  // Why it has ended, once it has: CANCELLED after Shutdown, else why the last connection
  // of a listener that accepts_once was closed, or what a listener said.
  absl::Status outcome();

 private:
  using Id = WaitSet::Id;
  struct Shaking {  // a connection whose peer has not said hello
    Deadline deadline;
    Id id;
  };

  Step ServeNext(const Leader& leader) override;
  Step Serve(Id id, const std::shared_ptr<Session>& session, const Leader& leader);
  Step TakeNext(const Leader& leader);
  Step TakeFromSet(std::optional<Id> id, const Leader& leader);
  struct News {
    const HotSessions::Entry* hot = nullptr;
    std::optional<Id> in_set;
  };
  bool LookForNews(Deadline timer, News& news);
  bool LookAtSet(Deadline timer, News& news);
  Step GiveTurn(Id id);
  Step Accept(Id id);
  Step End(const absl::Status& why);
  absl::Status AddLifeline(Listener& listener);
  absl::Status MayEnter(const Peer& peer);
  absl::Status Admit(Transport& transport);
  absl::StatusOr<Id> Open(std::unique_ptr<Transport> transport);
  void CloseAll();
  bool is_shut_down();
  void Drop(Id id);
  void Pause(Id id);
  void RunTimers();
  Deadline NextTimer();
  std::shared_ptr<Session> Find(Id id);

  const ServiceRegistry& registry_;
  const Limits limits_;

  // Owned by the leader.
  const std::unique_ptr<WaitSet> set_;  // before what joins it
  absl::flat_hash_map<Id, std::unique_ptr<Listener>> listeners_;
  absl::flat_hash_set<Id> admits_;  // of them, those that let nobody in who may not enter
  std::vector<Id> paused_;          // listeners for which there was no descriptor left
  Deadline resume_at_ = kNoDeadline;
  std::deque<Shaking> shaking_;
  Id last_id_ = WaitSet::kFirstId;
  Id lifeline_ = 0;  // the connection with which the lane ends
  Id current_ = 0;   // the session whose handler runs; 0: none
  HotSessions hot_;
  Spinner spinner_;
  int looks_until_set_ = 0;  // of those at hot sessions
  int looks_between_sets_ = 0;
  uint64_t hot_turns_ = 0;
  Deadline set_is_due_;

  Mutex mutex_;
  absl::flat_hash_map<Id, std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SERVER_LANE_H_
