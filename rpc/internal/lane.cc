// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/lane.h"

#include <optional>

namespace ferry::internal {

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

bool Lane::IsQuiet() {
  if ((role_.word() & LeaderRole::kInHandler) != 0) return false;
  MutexLock lock(mutex_);
  return threads_ <= 1;
}

bool Lane::ended() {
  MutexLock lock(mutex_);
  return ended_ && threads_ == 0;
}

}  // namespace ferry::internal
