// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/lane.h"

#include <optional>
#include <thread>
#include <utility>

#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {
namespace {

// How often idle sessions are looked for before those who change the lead get a pause.
constexpr int kTries = 100;

}  // namespace

void Lane::LeadFirst() {
  AddThread();
  Leader leader(*this, LeaderRole::kFirstTerm);
  Lead(leader);
}

void Lane::Run() {
  AddThread();
  std::optional<LeaderRole::Term> term = role_.TryTake(asked_.load(std::memory_order_relaxed));
  if (!term.has_value()) {
    RemoveThread(false);
    return RunQueue();
  }
  TookOver();
  Leader leader(*this, *term);
  Lead(leader);
}

void Lane::AskForSuccessor(LeaderRole::Word word) {
  if (NoteAsked(word) && !CallSuccessor()) WakeWaiting();
}

// False if no thread is free for it, or there are none.
bool Lane::RunOnPool(const std::shared_ptr<WorkerPool::Task>& task) {
  return !is_left_to_loop_ && pool_->Run(task);
}

// False if that was asked for already.
bool Lane::NoteAsked(LeaderRole::Word word) {
  LeaderRole::Word asked = asked_.load(std::memory_order_relaxed);
  do {
    if (asked >= word) return false;
  } while (!asked_.compare_exchange_weak(asked, word, std::memory_order_relaxed));
  return true;
}

void Lane::HandlerIsSlow(uint64_t word) {
  // May be that of the next handler by now: it is learned to be quick again.
  if (MethodPace* pace = pace_.load(std::memory_order_relaxed)) pace->WasSlow();
  one_was_slow_.store(true, std::memory_order_relaxed);
  slow_word_.store(word);
  // What was answered before that handler does not wait for it.
  if (std::shared_ptr<Session> session = Current()) {
    session->connection().sender().FlushDeferred(Deadline::min());
  }
  AskForSuccessor(word);
}

// Of a vacant lead, what looks like a handler takes no time.
uint64_t Lane::Handling() const {
  LeaderRole::Word word = role_.word();
  return word == vacant_word_.load(std::memory_order_relaxed) ? word - LeaderRole::kInHandler
                                                              : word;
}

// Until somebody else leads, or the lane ends.
void Lane::Lead(Leader& leader) {
  bool end = leader.ended();
  while (leader.leads() && !end) {
    DismissFromAside();  // it may have led before, and again since a wait of its handler
    std::shared_ptr<QueuedRequest> queued;
    if (queued_.load(std::memory_order_relaxed) != 0) queued = TakeQueued();
    if (queued != nullptr) {
      RunQueued(leader, *queued);
    } else {
      Step step = ServeNext(leader);
      end = step == Step::kEnd;
      if (step == Step::kStandAside) StandAside(leader);
    }
    end = end || leader.ended();
  }
  if (end) {
    DismissFromAside();
    RunLast(leader);
  }
  RemoveThread(end);
}

// What is still to be told at the end, behind which there may be no other thread.
void Lane::RunLast(Leader& leader) {
  {
    MutexLock lock(mutex_);
    ended_ = true;  // nothing is queued any more that has to be run
  }
  while (std::shared_ptr<QueuedRequest> queued = TakeQueued()) RunQueued(leader, *queued);
}

void Lane::AddThread() {
  MutexLock lock(mutex_);
  ++threads_;
  ++threads_added_;
}

bool Lane::AddThreadUnlessEnded() {
  MutexLock lock(mutex_);
  if (ended_) return false;
  ++threads_;
  ++threads_added_;
  return true;
}

void Lane::RemoveThread(bool end) {
  bool is_last;
  {
    MutexLock lock(mutex_);
    --threads_;
    ended_ = ended_ || end;
    is_last = ended_ && threads_ == 0;
  }
  if (is_last) pool_->Wake();  // for who works until the end
}

Lane::Threads Lane::CountThreads() {
  MutexLock lock(mutex_);
  return {threads_, threads_added_};
}

// Besides the leader each thread is in a handler that cost it the lead, which its session
// counts, or between the two, and then there are more threads than that. The leader's own handler,
// if that waits, is counted by its session, too, and in `suspended_`, where it is longer. As long
// as the word stays the same nobody takes the lead, so that these handlers become fewer only: what
// was found one by one holds together.
std::optional<std::vector<std::shared_ptr<Session>>> Lane::FindIdleSessions() {
  LeaderRole::Word word = role_.word();
  std::shared_ptr<Session> current;
  if ((word & LeaderRole::kInHandler) != 0) current = Current();
  Threads threads = CountThreads();
  const int suspended = suspended_.load();
  int64_t handlers = threads.count - 1 + suspended;
  std::vector<std::shared_ptr<Session>> idle;
  for (const auto& session : Sessions()) {
    int64_t of_session = session->detached_handlers();
    handlers -= of_session;
    if (of_session == 0 && session != current) idle.push_back(session);
  }
  if (handlers > 0 || role_.word() != word) return std::nullopt;
  if (CountThreads().added != threads.added || suspended_.load() > suspended) return std::nullopt;
  return idle;
}

std::vector<std::shared_ptr<Session>> Lane::IdleSessions() {
  for (int tries = 0; tries < kTries; ++tries) {
    if (auto idle = FindIdleSessions()) return *std::move(idle);
    std::this_thread::yield();
  }
  return {};
}

bool Lane::IsOnThisThread() const {
  return Leadership::AnyOnThisThread(
      [this](Leadership& leadership) { return &static_cast<Leader&>(leadership).lane_ == this; });
}

bool Lane::ended() {
  MutexLock lock(mutex_);
  return ended_ && threads_ == 0;
}

}  // namespace ferry::internal
