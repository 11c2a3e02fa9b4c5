// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How handlers wait for their own connection, and what becomes of requests meanwhile.

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>
#include <vector>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {
namespace {

// For how long a thread that waits for a call lets the loop have the lead.
constexpr absl::Duration kMakeWay = absl::Milliseconds(1);

}  // namespace

bool Lane::Leader::EnterHandler(Session& session, MethodPace& pace, bool waits_much) {
  own_ = &session;
  pace_ = &pace;
  waits_much_ = waits_much;
  // Who runs a handler beside the leader has counted it before, sequentially consistent, too.
  if (!leads_) return !lane_.gate_is_closed_.load();
  lane_.pace_.store(&pace, std::memory_order_relaxed);
  term_ = lane_.role_.EnterHandler(term_);
  lane_.supervisor_.Notice();
  if (waits_much) {
    Sender::Cork::Release();
    PassOn();
  }
  return !lane_.gate_is_closed_.load();
}

void Lane::Leader::Await(Session& session, HandlerWait& wait, Deadline deadline,
                         DirectRead* direct) {
  Sender::Cork::Release();
  if (!leads_ && wait.has_nested()) return RunNested(wait);
  if (!leads_ && lane_.is_left_to_loop_ && lane_.has_queued()) {
    // What is queued is for the loop, if that comes by: it is not the thread that waits here.
    lane_.WakeLeader();
    wait.Sleep(std::min(deadline, DeadlineAfter(kMakeWay)));
    if (wait.told() || wait.has_nested()) return;
  }
  bool offered = leads_ && !wait.has_nested() &&
                 lane_.queued_.load(std::memory_order_relaxed) != 0 && OfferLead();
  if (lane_.aside_ != nullptr) lane_.aside_->NoteVisit();
  if (!offered && (LeaveForWait() || TryTakeLead())) {
    LeadMeanwhile(session, wait, deadline, direct);
    if (!std::exchange(yields_, false) || !leads_) return;
    if (!OfferLead()) return lane_.RunQueueOnPool();  // as soon as a thread is free
  }
  if (!leads_) lane_.AskToStandAside(session);
  SleepBeside(wait, deadline);
}

void Lane::Leader::RunNested(HandlerWait& wait) {
  const auto handler = std::make_tuple(pace_, waits_much_, own_);
  while (std::shared_ptr<QueuedRequest> nested = wait.TakeNested()) {
    if (!LeaveForWait()) lane_.suspended_.fetch_add(1);
    lane_.RunQueued(*this, *nested);
    std::tie(pace_, waits_much_, own_) = handler;
    GoOn();
  }
}

// As the leader, out of its handler. False when it leads no more.
bool Lane::Leader::LeaveForWait() {
  if (!leads_) return false;
  // Counted before it leaves, so that it is seen in one place or the other.
  lane_.suspended_.fetch_add(1);
  own_->Detach();
  leads_ = lane_.role_.LeaveHandler(term_);
  if (leads_) {
    lane_.SetCurrent(nullptr);
  } else {
    own_->Attach();  // the successor counts it
    lane_.suspended_.fetch_sub(1);
  }
  return leads_;
}

// To a spare thread, from within the handler. False if there is none.
bool Lane::Leader::OfferLead() {
  lane_.NoteAsked(term_ | LeaderRole::kInHandler);
  return lane_.CallSuccessor();
}

// While another thread leads, or is about to.
void Lane::Leader::SleepBeside(HandlerWait& wait, Deadline deadline) {
  {
    MutexLock lock(lane_.mutex_);
    lane_.waiting_.push_back(&wait);
  }
  // Who asks for a successor, and has found nobody here, has said so before this look. What this
  // thread has offered itself is for another; that may have taken it by now, and ask.
  LeaderRole::Word word = lane_.role_.word();
  bool is_own = leads_ && word == (term_ | LeaderRole::kInHandler);
  bool is_wanted = !is_own && (word & LeaderRole::kInHandler) != 0 &&
                   word == lane_.asked_.load(std::memory_order_relaxed);
  if (!is_wanted) wait.Sleep(deadline);
  MutexLock lock(lane_.mutex_);
  auto& waiting = lane_.waiting_;
  waiting.erase(std::find(waiting.begin(), waiting.end(), &wait));
}

// The place of a leader that is in a handler and has asked for a successor.
bool Lane::Leader::TryTakeLead() {
  lane_.suspended_.fetch_add(1);
  auto term = lane_.role_.TryTake(lane_.asked_.load(std::memory_order_relaxed));
  if (!term.has_value()) {
    lane_.suspended_.fetch_sub(1);
    return false;
  }
  term_ = *term;
  leads_ = true;
  lane_.TookOver();
  return true;
}

// Reads for all until the handler can go on. What has told it so before this thread led came
// before what is read now. A nested handler may cost it the lead.
void Lane::Leader::LeadMeanwhile(Session& session, HandlerWait& wait, Deadline deadline,
                                 DirectRead* direct) {
  // The loop, where there is one, gets the lead now and then if something is queued for it.
  const bool is_short = lane_.is_left_to_loop_ && lane_.has_queued();
  if (is_short) deadline = std::min(deadline, DeadlineAfter(kMakeWay));
  const auto outer = std::make_tuple(wait_, waiting_session_, wait_deadline_);
  const auto handler = std::make_tuple(pace_, waits_much_, own_);
  std::tie(wait_, waiting_session_, wait_deadline_) = std::make_tuple(&wait, &session, deadline);
  Step step = Step::kGoOn;
  lane_.AddTimer(session, session.next_deadline());
  if (!wait.told() && !wait.has_nested()) {
    session.set_direct(direct);
    step = lane_.ServeOwn(*this, session);
  }
  while (leads_ && step != Step::kEnd && !wait.told() && !yields_ && !HasPassed(deadline)) {
    if (!is_short && lane_.is_left_to_loop_ && lane_.has_queued()) break;
    if (std::shared_ptr<QueuedRequest> nested = wait.TakeNested()) {
      session.set_direct(nullptr);
      lane_.RunQueued(*this, *nested);
    } else {
      step = lane_.ServeNext(*this);
    }
  }
  if (leads_) session.set_direct(nullptr);
  session.connection().sender().FlushDeferred();
  if (step == Step::kEnd) {
    lane_.has_ended_.store(true, std::memory_order_relaxed);
    lane_.RecallFromAside();
  }
  std::tie(wait_, waiting_session_, wait_deadline_) = outer;
  std::tie(pace_, waits_much_, own_) = handler;
  // Who reads on behind the handler reads its own connection.
  if (leads_ && own_ != &session) lane_.GiveTurn(session);
  GoOn();
}

// Back in the handler, as the leader if it leads still.
void Lane::Leader::GoOn() {
  if (leads_) {
    lane_.SetCurrent(own_);
    lane_.pace_.store(pace_, std::memory_order_relaxed);
    term_ = lane_.role_.EnterHandler(term_);
    own_->Attach();
  }
  lane_.suspended_.fetch_sub(1);
  if (!leads_) return;
  lane_.supervisor_.Notice();
  // Its handler, which took the lead from who stands aside for waits, may not wait again soon.
  if (waits_much_ || (pace_ != nullptr && lane_.IsAsideTaken())) PassOn();
}

void Lane::Leader::Queue(std::shared_ptr<QueuedRequest> request) {
  Session& session = *request->session();
  lane_.AddTimer(session, session.next_deadline());
  lane_.Queue(std::move(request));
  yields_ = yields_ || waits();
}

// Of those that wait, whoever comes first.
void Lane::WakeWaiting() {
  MutexLock lock(mutex_);
  for (HandlerWait* wait : waiting_) wait->Tell();
}

void Lane::DropQueued(const Session& session) {
  std::vector<std::shared_ptr<QueuedRequest>> dropped;  // destroyed without the lock
  MutexLock lock(mutex_);
  for (size_t left = queue_.size(); left > 0; --left) {
    std::shared_ptr<QueuedRequest> request = queue_.Pop();
    if (request->is_droppable() && request->session() == &session) {
      dropped.push_back(std::move(request));
    } else {
      queue_.Push(std::move(request));
    }
  }
  queued_.store(queue_.size(), std::memory_order_relaxed);
  MutexUnlock unlock(mutex_);
  dropped.clear();
}

void Lane::Queue(std::shared_ptr<QueuedRequest> request) {
  MutexLock lock(mutex_);
  Push(std::move(request));
}

void Lane::Push(std::shared_ptr<QueuedRequest> request) {
  queue_.Push(std::move(request));
  queued_.store(queue_.size(), std::memory_order_relaxed);
}

std::shared_ptr<WorkerPool::Task> Lane::QueueRunnerTask() {
  return std::shared_ptr<WorkerPool::Task>(shared_from_this(), &queue_runner_);
}

void Lane::RunQueueOnPool() {
  if (!RunOnPool(QueueRunnerTask())) RecallFromAside();
}

std::shared_ptr<QueuedRequest> Lane::TakeQueued() {
  MutexLock lock(mutex_);
  if (queue_.empty()) return nullptr;
  std::shared_ptr<QueuedRequest> request = queue_.Pop();
  queued_.store(queue_.size(), std::memory_order_relaxed);
  return request;
}

// On a spare thread. Another one is for the next: this handler may take long.
void Lane::RunQueue() {
  AddThread();
  Leader leader(*this);
  for (;;) {
    std::shared_ptr<QueuedRequest> request = TakeQueued();
    if (request == nullptr) break;
    if (queued_.load(std::memory_order_relaxed) != 0) RunQueueOnPool();
    RunQueued(leader, *request);
    if (leader.leads()) return Lead(leader);
  }
  RemoveThread(false);
}

bool Lane::RunSoonUnlessEnded(std::shared_ptr<QueuedRequest> request) {
  {
    MutexLock lock(mutex_);
    if (ended_) return false;  // who sets that runs what is here already
    Push(std::move(request));
  }
  if (!RunOnPool(QueueRunnerTask())) {
    RecallFromAside();
    WakeLeader();
  }
  return true;
}

void Lane::RunQueued(Leader& leader, QueuedRequest& request) {
  std::shared_ptr<Session> session;  // the request may not outlive Run
  if (request.session() != nullptr) session = request.session()->shared_from_this();
  if (session != nullptr) session->connection().sender().FlushDeferred();
  if (leader.leads()) SetCurrent(session.get());
  request.Run();
  if (!leader.leads()) return;
  SetCurrent(nullptr);
  if (session != nullptr) GiveTurn(*session);
}

void Lane::Leader::RunCallback(Session& session, MethodPace& pace,
                               absl::FunctionRef<void()> callback) {
  if (!leads_) session.Detach();
  bool is_slow = pace.is_slow();
  std::chrono::steady_clock::time_point begin;
  if (is_slow) begin = std::chrono::steady_clock::now();
  EnterHandler(session, pace, is_slow);
  if (is_cautious()) PassOn();
  callback();
  if (is_slow) pace.Took(std::chrono::steady_clock::now() - begin);
  LeaveHandler();
  if (!leads_) session.Attach();
}

}  // namespace ferry::internal
