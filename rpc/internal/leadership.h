// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_LEADERSHIP_H_
#define FERRY_RPC_INTERNAL_LEADERSHIP_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "ferry/transport/deadline.h"

namespace ferry::internal {

// Which thread leads: reads and serves. A leader runs handlers itself; while it does,
// another thread may take its place, so that a handler that takes long delays nobody.
// (Leader/Followers, POSA 2.)
//
// A term is a leader's until it enters a handler, which begins a new one; the word is the
// present term, and its lowest bit says that its leader is in a handler. So each handler
// has a word of its own. Thread contract: thread-safe.
class LeaderRole {
 public:
  using Term = uint64_t;
  using Word = uint64_t;

  static constexpr Word kInHandler = 1;

  // The first leader's.
  static constexpr Term kFirstTerm = 0;

  // The leader of `term` enters a handler. What it did as a reader happens before its
  // successor reads: this pairs with the acquire in TryTake. Sequentially consistent for
  // the supervisor, and for who closes a lane's gate.
  Term EnterHandler(Term term) {
    word_.exchange((term + kStep) | kInHandler);
    return term + kStep;
  }

  // It is back; false when it leads no more. The release pairs with the load in word(): who
  // sees that no handler runs sees what the last one has sent.
  bool LeaveHandler(Term term) {
    Word expected = term | kInHandler;
    return word_.compare_exchange_strong(expected, term, std::memory_order_release,
                                         std::memory_order_relaxed);
  }

  // Takes the place of a leader that is in the handler of `word`. The release pairs with the
  // load in word(): who sees a successor finds it counted.
  std::optional<Term> TryTake(Word word) {
    Term next = (word & ~kInHandler) + kStep;
    if ((word & kInHandler) == 0 ||
        !word_.compare_exchange_strong(word, next, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return std::nullopt;
    }
    return next;
  }

  Word word() const { return word_.load(); }

 private:
  static constexpr Term kStep = 2;

  std::atomic<Word> word_{kFirstTerm};
};

// The leadership of this thread while it runs a handler, for the places where a thread
// is about to wait. Thread contract: owned by its thread.
class Leadership {
 public:
  Leadership() : outer_(current_) { current_ = this; }
  virtual ~Leadership() { current_ = outer_; }
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  // To be called before a wait of ours: if this thread leads a connection, somebody
  // else is asked to.
  static void PassOnBeforeWait() {
    if (current_ != nullptr) current_->PassOn();
  }

  // When the call ends whose handler this thread runs.
  static Deadline DeadlineOfHandler() {
    return current_ != nullptr ? current_->handler_deadline_ : kNoDeadline;
  }
  void set_handler_deadline(Deadline deadline) { handler_deadline_ = deadline; }

 protected:
  static Leadership* Current() { return current_; }
  virtual void PassOn() = 0;

 private:
  static inline thread_local Leadership* current_ = nullptr;
  Leadership* const outer_;
  Deadline handler_deadline_ = kNoDeadline;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_LEADERSHIP_H_
