// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_LANE_H_
#define FERRY_RPC_INTERNAL_LANE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ferry/rpc/internal/aside.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/method_pace.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/rpc/internal/reused_queue.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

class Session;

// What one thread reads and serves at a time: its leader, who runs the handlers itself.
// A spare thread takes the leader's place (a) when a handler enters a wait for another
// connection, (b) before a handler that is marked (ferry.blocking), or was learned to be slow,
// runs, (c) when the supervisor finds that one has run for too long, and (d) before any handler
// for a while after that. When all threads are taken, the handler runs all the same, other
// requests wait, and the next thread that is free takes the place; so does a handler that waits
// for its own connection.
//
// A leader whose handler waits for its own connection (to read from a stream, for credit, or for
// the reply to a call back) goes on to lead, but runs no handler meanwhile, unless it is nested in
// what it waits for: other requests are queued for spare threads. Any other thread that waits for a
// call on such a connection is a visitor: it leads if nobody else can, or if a leader that has
// nothing to do stands aside for it (aside.h).
//
// Thread contract: thread-safe.
class Lane : public WorkerPool::Task, public Supervised, public std::enable_shared_from_this<Lane> {
 public:
  // A thread that leads it, or runs something for it: lane_leader.h.
  class Leader;

  // `supervisor` outlives the lane until that has ended, `aside` the lane; null: its own threads
  // lead whenever they can.
  Lane(std::shared_ptr<WorkerPool> pool, Supervisor& supervisor, Aside* aside = nullptr)
      : pool_(std::move(pool)), supervisor_(supervisor), aside_(aside), queue_runner_(*this) {}

  // Leads on this thread from the beginning, until the lane ends or somebody else leads.
  void LeadFirst();

  // Or leaves that to Dispatch, and visitors: lane_loop.cc. REQUIRES: the pool has no threads.
  void LeaveToLoop();
  // Serves, and runs, what is there now, a bounded amount, and does not wait, unless a handler or
  // callback does; nothing while a visitor leads. False when the lane has ended. On one thread at a
  // time.
  bool Dispatch();

  // On a thread that is none of the lane's, and waits for a call on the connection of that session:
  // as Leader::Await, and RunNested.
  void Visit(Session& session, HandlerWait& wait, Deadline deadline);
  void RunNestedOfVisit(Session& session, HandlerWait& wait);

  // Runs it on this thread, which is none of the lane's, unless the lane has ended.
  void RunBeside(std::shared_ptr<QueuedRequest> request);

  // On any thread: to be run on the next thread that is free. False, and nothing has happened, when
  // the lane may have no thread any more.
  bool RunSoonUnlessEnded(std::shared_ptr<QueuedRequest> request);

  // As a spare thread: takes the leader's place if it is still in the handler that it was
  // asked for.
  void Run() override;

  // It has ended, and every handler has returned.
  bool ended();

  // This thread leads it, or is in a handler or callback of it.
  bool IsOnThisThread() const;

  // A call that its session counts has no thread.
  void AddSuspended(int calls) { suspended_.fetch_add(calls); }

  // For who shuts it down. From now on no handler begins: requests are dropped.
  void CloseGate() { gate_is_closed_.store(true); }
  // Forgets the requests of a connection that has ended.
  void DropQueued(const Session& session);
  // Behind a closed gate: those of which no handler runs any more. Perhaps not all of them.
  std::vector<std::shared_ptr<Session>> IdleSessions();
  // Nobody joins any more, and the names are given up.
  virtual void StopAccepting() = 0;
  // Those that are closed, too, as long as a handler of theirs runs.
  virtual std::vector<std::shared_ptr<Session>> Sessions() = 0;
  // Closes every connection; the lane ends when its handlers have.
  virtual void EndNow() = 0;

  uint64_t Handling() const override;
  void HandlerIsSlow(uint64_t word) override;
  void HandlersAreQuick() override { one_was_slow_.store(false, std::memory_order_relaxed); }

 protected:
  enum class Step { kGoOn, kStandAside, kEnd };

  // As the leader, reads and serves something; sleeps until there is something. The lane
  // is not to be touched any more once the leader does not lead. kEnd: it has ended. kStandAside:
  // there is nothing, and somebody who waits is to lead: see aside.
  virtual Step ServeNext(const Leader& leader) = 0;

  // The same with the connection of the leader's handler, which waits.
  virtual Step ServeOwn(const Leader& leader, Session& session) = 0;

  // Of the handler that the leader is in. On any thread; null if there is none.
  virtual std::shared_ptr<Session> Current() = 0;
  // By the leader; null: of none.
  virtual void SetCurrent(const Session* session) = 0;

  // By the leader: there may be something of that connection that nobody has read.
  virtual void GiveTurn(const Session& session) = 0;
  // By the leader: calls of that connection have deadlines, of which that is the next.
  virtual void AddTimer(const Session& session, Deadline deadline) = 0;

  // As the new leader, while the handler still runs that cost another the lead.
  virtual void TookOver() = 0;

  // For Dispatch. As the leader: serves something that is there, if there is something.
  enum class Ready { kServed, kNothing, kEnd };
  virtual Ready ServeReady(const Leader& leader) = 0;
  // Nobody leads from now on: sees to it that the loop learns when there is something.
  virtual void PrepareSleep() = 0;
  // There is something for who leads, or for the loop. On any thread.
  virtual void WakeLeader() = 0;

  // Something is in the queue; a hint.
  bool has_queued() const { return queued_.load(std::memory_order_relaxed) != 0; }

 private:
  // Runs what is queued on a spare thread.
  class QueueRunner final : public WorkerPool::Task {
   public:
    explicit QueueRunner(Lane& lane) : lane_(lane) {}
    void Run() override { lane_.RunQueue(); }

   private:
    Lane& lane_;
  };

  void Lead(Leader& leader);
  void StandAside(Leader& leader);
  void LeaveAside(Leader& leader, Aside::Stay stay);
  void RunQueuedBeside(Leader& leader);
  void DismissFromAside() {
    if (aside_ != nullptr) aside_->Dismiss();
  }
  void AskToStandAside(Session& session);
  bool RecallFromAside();
  bool CallSuccessor();
  bool IsAsideTaken() { return aside_ != nullptr && aside_->is_taken(); }
  template <typename Body>
  bool AsVisitor(Session& session, Body body);
  void RunQueue();
  void Queue(std::shared_ptr<QueuedRequest> request);
  void Push(std::shared_ptr<QueuedRequest> request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<QueuedRequest> TakeQueued();
  void RunQueued(Leader& leader, QueuedRequest& request);
  void RunLast(Leader& leader);
  void RunQueueOnPool();
  std::shared_ptr<WorkerPool::Task> QueueRunnerTask();
  void WakeWaiting();
  std::optional<std::vector<std::shared_ptr<Session>>> FindIdleSessions();
  struct Threads {
    int count;
    uint64_t added;
  };
  Threads CountThreads();
  void AddThread();
  bool AddThreadUnlessEnded();
  void RemoveThread(bool end);
  void AskForSuccessor(LeaderRole::Word word);
  bool RunOnPool(const std::shared_ptr<WorkerPool::Task>& task);
  bool NoteAsked(LeaderRole::Word word);

  const std::shared_ptr<WorkerPool> pool_;
  Supervisor& supervisor_;
  Aside* const aside_;
  bool is_left_to_loop_ = false;  // constant
  LeaderRole role_;

  // Sequentially consistent: a leader enters a handler, by the role, and then looks here;
  // who closes the gate does that and then looks at the role. So a handler that is not
  // seen running does not run. One that has lost the lead is seen in `threads_`, where its
  // successor is counted before it takes over.
  std::atomic<bool> gate_is_closed_{false};

  // The latest handler for which a successor was asked. Relaxed, as what follows: who is
  // asked takes the place only from that handler, and the role decides whether it can.
  std::atomic<LeaderRole::Word> asked_{0};
  std::atomic<MethodPace*> pace_{nullptr};        // of the handler that the leader is in
  std::atomic<bool> one_was_slow_{false};         // in the last ticks of the supervisor
  std::atomic<LeaderRole::Word> slow_word_{0};    // the latest handler that was found to be
  std::atomic<LeaderRole::Word> vacant_word_{0};  // the latest that is none: nobody led

  // Handlers that wait on the stack of a thread that leads: their sessions count them, and the
  // leader is counted, too.
  std::atomic<int> suspended_{0};
  std::atomic<size_t> queued_{0};  // requests; relaxed: a hint, changed under the lock

  // Found by a leader while its handler waited. Relaxed: its role orders it for who takes the lead.
  std::atomic<bool> has_ended_{false};

  QueueRunner queue_runner_;

  Mutex mutex_;
  ReusedQueue<std::shared_ptr<QueuedRequest>> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<HandlerWait*> waiting_ ABSL_GUARDED_BY(mutex_);  // of threads that do not lead
  int threads_ ABSL_GUARDED_BY(mutex_) = 0;  // that lead, have led, or may at once
  uint64_t threads_added_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_LANE_H_
