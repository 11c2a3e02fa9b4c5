// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_LANE_H_
#define FERRY_RPC_INTERNAL_LANE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/method_pace.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

class Session;

// What one thread reads and serves at a time: its leader, who runs the handlers itself.
// A spare thread takes the leader's place (a) when a handler enters a wait of ours, (b)
// before a handler that is marked (ferry.blocking), or was learned to be slow, runs, (c)
// when the supervisor finds that one has run for too long, and (d) before any handler for
// a while after that. When all threads are taken, the handler runs all the same, other requests
// wait, and the next thread that is free takes the place.
//
// Thread contract: thread-safe.
class Lane : public WorkerPool::Task, public Supervised, public std::enable_shared_from_this<Lane> {
 public:
  // The thread that leads, while it does.
  class Leader final : public Leadership {
   public:
    Leader(Lane& lane, LeaderRole::Term term) : lane_(lane), term_(term) {}

    // That of this thread. REQUIRES: there is one.
    static Leader& Current() { return static_cast<Leader&>(*Leadership::Current()); }

    bool leads() const { return leads_; }

    // Around each handler; when EnterHandler answers false, it must not run.
    bool EnterHandler(MethodPace& pace);
    void LeaveHandler() { leads_ = lane_.role_.LeaveHandler(term_); }

    // A handler was slow just now: what else has arrived may be, too, and is not to wait
    // until each is found to be.
    bool is_cautious() const { return lane_.one_was_slow_.load(std::memory_order_relaxed); }

    // Asks a spare thread to take over.
    void PassOn() override { lane_.AskForSuccessor(term_ | LeaderRole::kInHandler); }

   private:
    Lane& lane_;
    LeaderRole::Term term_;
    bool leads_ = true;
  };

  // `pool` and `supervisor` outlive the lane.
  Lane(WorkerPool& pool, Supervisor& supervisor) : pool_(pool), supervisor_(supervisor) {}

  // Leads on this thread from the beginning, until the lane ends or somebody else leads.
  void LeadFirst();

  // As a spare thread: takes the leader's place if it is still in the handler that it was
  // asked for.
  void Run() override;

  // It has ended, and every handler has returned.
  bool ended();

  // For who shuts it down. From now on no handler begins: requests are dropped.
  void CloseGate() { gate_is_closed_.store(true); }
  // Behind a closed gate: those of which no handler runs any more. Perhaps not all of them.
  std::vector<std::shared_ptr<Session>> IdleSessions();
  // Nobody joins any more, and the names are given up.
  virtual void StopAccepting() = 0;
  // Those that are closed, too, as long as a handler of theirs runs.
  virtual std::vector<std::shared_ptr<Session>> Sessions() = 0;
  // Closes every connection; the lane ends when its handlers have.
  virtual void EndNow() = 0;

  uint64_t Handling() const override { return role_.word(); }
  void HandlerIsSlow(uint64_t word) override;
  void HandlersAreQuick() override { one_was_slow_.store(false, std::memory_order_relaxed); }

 protected:
  enum class Step { kGoOn, kEnd };

  // As the leader, reads and serves something; sleeps until there is something. The lane
  // is not to be touched any more once the leader does not lead. kEnd: it has ended.
  virtual Step ServeNext(const Leader& leader) = 0;

  // Of the handler that the leader is in. On any thread; null if there is none.
  virtual std::shared_ptr<Session> Current() = 0;

  // As the new leader, while the handler still runs that cost another the lead.
  virtual void TookOver() = 0;

 private:
  void Lead(LeaderRole::Term term);
  std::optional<std::vector<std::shared_ptr<Session>>> FindIdleSessions();
  int CountThreads();
  void AddThread();
  void RemoveThread(bool end);
  void AskForSuccessor(LeaderRole::Word word);

  WorkerPool& pool_;
  Supervisor& supervisor_;
  LeaderRole role_;

  // Sequentially consistent: a leader enters a handler, by the role, and then looks here;
  // who closes the gate does that and then looks at the role. So a handler that is not
  // seen running does not run. One that has lost the lead is seen in `threads_`, where its
  // successor is counted before it takes over.
  std::atomic<bool> gate_is_closed_{false};

  // The latest handler for which a successor was asked. Relaxed, as what follows: who is
  // asked takes the place only from that handler, and the role decides whether it can.
  std::atomic<LeaderRole::Word> asked_{0};
  std::atomic<MethodPace*> pace_{nullptr};  // of the handler that the leader is in
  std::atomic<bool> one_was_slow_{false};   // in the last ticks of the supervisor

  Mutex mutex_;
  int threads_ ABSL_GUARDED_BY(mutex_) = 0;  // that lead, have led, or may at once
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_LANE_H_
