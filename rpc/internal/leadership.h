// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_LEADERSHIP_H_
#define FERRY_RPC_INTERNAL_LEADERSHIP_H_

#include <atomic>
#include <cstdint>
#include <optional>

namespace ferry::internal {

// Which thread reads and serves a connection: its leader. A leader runs handlers
// itself; while it does, another thread may take its place, so that a handler that
// takes long delays nobody. (Leader/Followers, POSA 2.)
//
// The word counts leaders, and its lowest bit says that the present one is in a
// handler. Thread contract: thread-safe.
class LeaderRole {
 public:
  using Term = uint32_t;

  // The first leader's.
  static constexpr Term kFirstTerm = 0;

  // The leader of `term` enters a handler. What it did as a reader happens before its
  // successor reads: this pairs with the acquire in TryTake.
  void EnterHandler(Term term) { word_.store(term | kInHandler, std::memory_order_release); }

  // It is back; false when it leads no more.
  bool LeaveHandler(Term term) {
    uint32_t expected = term | kInHandler;
    return word_.compare_exchange_strong(expected, term, std::memory_order_relaxed);
  }

  // Takes the place of a leader that is in a handler.
  std::optional<Term> TryTake() {
    uint32_t word = word_.load(std::memory_order_relaxed);
    Term next = (word & ~kInHandler) + 2;
    if ((word & kInHandler) == 0 ||
        !word_.compare_exchange_strong(word, next, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return std::nullopt;
    }
    return next;
  }

 private:
  static constexpr uint32_t kInHandler = 1;

  std::atomic<uint32_t> word_{kFirstTerm};
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

 protected:
  static Leadership* Current() { return current_; }
  virtual void PassOn() = 0;

 private:
  static inline thread_local Leadership* current_ = nullptr;
  Leadership* const outer_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_LEADERSHIP_H_
