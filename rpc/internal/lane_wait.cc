// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How handlers wait for their own connection, and what becomes of requests meanwhile.

#include <algorithm>
#include <utility>

#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

bool Lane::Leader::EnterHandler(MethodPace& pace, bool waits_much) {
  pace_ = &pace;
  waits_much_ = waits_much;
  // Who runs a handler beside the leader has counted it before, sequentially consistent, too.
  if (!leads_) return !lane_.gate_is_closed_.load();
  lane_.pace_.store(&pace, std::memory_order_relaxed);
  term_ = lane_.role_.EnterHandler(term_);
  if (lane_.gate_is_closed_.load()) return false;
  lane_.supervisor_.Notice();
  if (waits_much) PassOn();
  return true;
}

void Lane::Leader::Await(Session& session, HandlerWait& wait, Deadline deadline,
                         DirectRead* direct) {
  bool offered = leads_ && lane_.queued_.load(std::memory_order_relaxed) != 0 && OfferLead();
  if (!offered && (LeaveForWait(session) || TryTakeLead())) {
    LeadMeanwhile(session, wait, deadline, direct);
    if (!std::exchange(yields_, false)) return;
    if (!OfferLead()) return lane_.RunQueueOnPool();  // as soon as a thread is free
  }
  SleepBeside(wait, deadline);
}

// As the leader, out of its handler. False when it leads no more.
bool Lane::Leader::LeaveForWait(Session& session) {
  if (!leads_) return false;
  // Counted before it leaves, so that it is seen in one place or the other.
  lane_.suspended_.fetch_add(1);
  session.Detach();
  leads_ = lane_.role_.LeaveHandler(term_);
  if (leads_) {
    lane_.SetCurrent(nullptr);
  } else {
    session.Attach();  // the successor counts it
    lane_.suspended_.fetch_sub(1);
  }
  return leads_;
}

// To a spare thread, from within the handler. False if there is none.
bool Lane::Leader::OfferLead() {
  lane_.NoteAsked(term_ | LeaderRole::kInHandler);
  return lane_.pool_.Run(lane_.shared_from_this());
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
// before what is read now.
void Lane::Leader::LeadMeanwhile(Session& session, HandlerWait& wait, Deadline deadline,
                                 DirectRead* direct) {
  wait_ = &wait;
  waiting_session_ = &session;
  wait_deadline_ = deadline;
  Step step = Step::kGoOn;
  lane_.AddTimer(session, session.next_deadline());
  if (!wait.told()) {
    session.set_direct(direct);
    step = lane_.ServeOwn(*this, session);
  }
  while (step != Step::kEnd && !wait.told() && !yields_ && !HasPassed(deadline)) {
    step = lane_.ServeNext(*this);
  }
  session.set_direct(nullptr);
  if (step == Step::kEnd) lane_.has_ended_.store(true, std::memory_order_relaxed);
  wait_ = nullptr;
  wait_deadline_ = kNoDeadline;
  lane_.SetCurrent(&session);
  lane_.pace_.store(pace_, std::memory_order_relaxed);
  term_ = lane_.role_.EnterHandler(term_);
  session.Attach();
  lane_.suspended_.fetch_sub(1);
  lane_.supervisor_.Notice();
  if (waits_much_) PassOn();
}

void Lane::Leader::Queue(std::shared_ptr<QueuedRequest> request) {
  lane_.AddTimer(request->session(), request->session().next_deadline());
  lane_.Queue(std::move(request));
  yields_ = true;
}

// Of those that wait, whoever comes first.
void Lane::WakeWaiting() {
  MutexLock lock(mutex_);
  for (HandlerWait* wait : waiting_) wait->Tell();
}

void Lane::DropQueued(const Session& session) {
  std::deque<std::shared_ptr<QueuedRequest>> left, dropped;  // destroyed without the lock
  MutexLock lock(mutex_);
  for (auto& request : queue_) {
    (&request->session() == &session ? dropped : left).push_back(std::move(request));
  }
  queue_.swap(left);
  queued_.store(queue_.size(), std::memory_order_relaxed);
  MutexUnlock unlock(mutex_);
  dropped.clear();
}

void Lane::Queue(std::shared_ptr<QueuedRequest> request) {
  MutexLock lock(mutex_);
  queue_.push_back(std::move(request));
  queued_.store(queue_.size(), std::memory_order_relaxed);
}

void Lane::RunQueueOnPool() {
  pool_.Run(std::shared_ptr<WorkerPool::Task>(shared_from_this(), &queue_runner_));
}

std::shared_ptr<QueuedRequest> Lane::TakeQueued() {
  MutexLock lock(mutex_);
  if (queue_.empty()) return nullptr;
  std::shared_ptr<QueuedRequest> request = std::move(queue_.front());
  queue_.pop_front();
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

void Lane::RunQueued(Leader& leader, QueuedRequest& request) {
  if (leader.leads()) SetCurrent(&request.session());
  request.Run();
  if (!leader.leads()) return;
  SetCurrent(nullptr);
  GiveTurn(request.session());
}

}  // namespace ferry::internal
