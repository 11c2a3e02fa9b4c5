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

class Caller;

// A call whose handler runs, for the calls that this makes. Thread contract: its handler's thread
// uses it.
class RunningCall {
 public:
  virtual Deadline deadline() const = 0;

  // A call on that connection is about to be sent. If it is the one that this call has come by, it
  // is nested in it: answers what tells the peer so, and EndNested must follow once it is sent; 0
  // if this call has ended. nullopt when it is another connection.
  virtual std::optional<uint16_t> BeginNested(const Caller& caller) = 0;
  virtual void EndNested() = 0;

 protected:
  ~RunningCall() = default;

 private:
  friend class Leadership;
  RunningCall* outer_ = nullptr;  // in which it is nested, of the same leader
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
    if (current_ == nullptr) return;
    current_->BeforeWait();
    current_->PassOn();
  }

  // When the call ends whose handler this thread runs.
  static Deadline DeadlineOfHandler() {
    bool is_in_handler = current_ != nullptr && current_->running_ != nullptr;
    return is_in_handler ? current_->running_->deadline() : kNoDeadline;
  }

  // Whether that holds for any leadership of this thread, which may run handlers of one lane in
  // waits of another's.
  template <typename Predicate>
  static bool AnyOnThisThread(Predicate is_one) {
    for (Leadership* each = current_; each != nullptr; each = each->outer_) {
      if (is_one(*each)) return true;
    }
    return false;
  }

  // Around each handler.
  void Push(RunningCall& call) {
    call.outer_ = running_;
    running_ = &call;
    ++depth_;
  }
  void Pop() {
    running_ = running_->outer_;
    --depth_;
  }

  // How many handlers run on this thread, each nested in the one before.
  static int depth() { return depth_; }

  // The innermost of them that has come by that connection, and what its BeginNested has answered;
  // null if there is none.
  struct Parent {
    RunningCall* call = nullptr;
    uint16_t nested = 0;
  };
  static Parent ParentOn(const Caller& caller) {
    for (Leadership* leadership = current_; leadership != nullptr;
         leadership = leadership->outer_) {
      for (RunningCall* call = leadership->running_; call != nullptr; call = call->outer_) {
        if (auto nested = call->BeginNested(caller)) return {call, *nested};
      }
    }
    return {};
  }

 protected:
  static Leadership* Current() { return current_; }
  virtual void PassOn() = 0;
  virtual void BeforeWait() {}

 private:
  static inline thread_local Leadership* current_ = nullptr;
  static inline thread_local int depth_ = 0;
  Leadership* const outer_;
  RunningCall* running_ = nullptr;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_LEADERSHIP_H_
