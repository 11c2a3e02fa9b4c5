// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/lane.h"

#include <optional>
#include <thread>
#include <utility>

#include "ferry/rpc/internal/session.h"

namespace ferry::internal {
namespace {

// How often idle sessions are looked for before those who change the lead get a pause.
constexpr int kTries = 100;

}  // namespace

bool Lane::Leader::EnterHandler(MethodPace& pace) {
  lane_.pace_.store(&pace, std::memory_order_relaxed);
  term_ = lane_.role_.EnterHandler(term_);
  if (lane_.gate_is_closed_.load()) return false;
  lane_.supervisor_.Notice();
  return true;
}

void Lane::LeadFirst() {
  AddThread();
  Lead(LeaderRole::kFirstTerm);
}

void Lane::Run() {
  AddThread();
  std::optional<LeaderRole::Term> term = role_.TryTake(asked_.load(std::memory_order_relaxed));
  if (!term.has_value()) return RemoveThread(false);
  TookOver();
  Lead(*term);
}

void Lane::AskForSuccessor(LeaderRole::Word word) {
  LeaderRole::Word asked = asked_.load(std::memory_order_relaxed);
  do {
    if (asked >= word) return;
  } while (!asked_.compare_exchange_weak(asked, word, std::memory_order_relaxed));
  pool_.Run(shared_from_this());
}

void Lane::HandlerIsSlow(uint64_t word) {
  // May be that of the next handler by now: it is learned to be quick again.
  if (MethodPace* pace = pace_.load(std::memory_order_relaxed)) pace->WasSlow();
  one_was_slow_.store(true, std::memory_order_relaxed);
  AskForSuccessor(word);
}

void Lane::Lead(LeaderRole::Term term) {
  bool end = false;
  {
    Leader leader(*this, term);
    while (leader.leads() && !end) end = ServeNext(leader) == Step::kEnd;
  }
  RemoveThread(end);
}

void Lane::AddThread() {
  MutexLock lock(mutex_);
  ++threads_;
}

void Lane::RemoveThread(bool end) {
  {
    MutexLock lock(mutex_);
    --threads_;
    ended_ = ended_ || end;
  }
  pool_.Wake();  // for who works until the end
}

int Lane::CountThreads() {
  MutexLock lock(mutex_);
  return threads_;
}

// Besides the leader each thread is in a handler that cost it the lead, which its session
// counts, or between the two, and then there are more threads than that. As long as the
// word stays the same nobody takes the lead, so that these handlers become fewer only: what
// was found one by one holds together.
std::optional<std::vector<std::shared_ptr<Session>>> Lane::FindIdleSessions() {
  LeaderRole::Word word = role_.word();
  std::shared_ptr<Session> current;
  if ((word & LeaderRole::kInHandler) != 0) current = Current();
  int64_t handlers = CountThreads() - 1;
  std::vector<std::shared_ptr<Session>> idle;
  for (const auto& session : Sessions()) {
    int64_t of_session = session->detached_handlers();
    handlers -= of_session;
    if (of_session == 0 && session != current) idle.push_back(session);
  }
  if (handlers > 0 || role_.word() != word) return std::nullopt;
  return idle;
}

std::vector<std::shared_ptr<Session>> Lane::IdleSessions() {
  for (int tries = 0; tries < kTries; ++tries) {
    if (auto idle = FindIdleSessions()) return *std::move(idle);
    std::this_thread::yield();
  }
  return {};
}

bool Lane::ended() {
  MutexLock lock(mutex_);
  return ended_ && threads_ == 0;
}

}  // namespace ferry::internal
