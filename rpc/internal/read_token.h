// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_READ_TOKEN_H_
#define FERRY_RPC_INTERNAL_READ_TOKEN_H_

#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// The right to read a connection: whoever holds it reads for all who wait. It is
// offered, never assigned: Offer wakes one waiter, but any thread that comes along may
// take it first. (The pattern is Leader/Followers, POSA 2.)
//
// Thread contract: every call under the connection's mutex.
class ReadToken {
 public:
  // One sleeping thread, linked into the token's list.
  struct Waiter {
    void Wake() {
      if (wake != nullptr) wake->NotifyOne();
    }

    CondVar* wake = nullptr;  // while it sleeps
    bool is_due = false;      // to be woken by WakeDue
    Waiter* next = nullptr;
    Waiter* previous = nullptr;
  };

  bool TryTake() {
    if (taken_) return false;
    return taken_ = true;
  }

  void Release() { taken_ = false; }

  // To be called by every thread that leaves: the waiter that the last Release would
  // have woken may be the one that leaves.
  void Offer() {
    if (!taken_) WakeOne();
  }

  // To be called by a thread that leaves something undone.
  void WakeOne() {
    if (first_ != nullptr) first_->Wake();
  }

  void WakeAll() {
    for (Waiter* waiter = first_; waiter != nullptr; waiter = waiter->next) {
      waiter->Wake();
    }
  }

  void WakeDue() {
    for (Waiter* waiter = first_; waiter != nullptr; waiter = waiter->next) {
      if (waiter->is_due) waiter->Wake();
    }
  }

  // Others sleep until it is free.
  bool has_waiters() const { return first_ != nullptr; }

  // Sleeps until the token may be free, somebody notifies the waiter, or the deadline.
  void Wait(Waiter& waiter, Mutex& mutex, Deadline deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    waiter.next = first_;
    waiter.previous = nullptr;
    if (first_ != nullptr) first_->previous = &waiter;
    first_ = &waiter;
    CondVar wake;  // here, since most calls never sleep
    waiter.wake = &wake;
    wake.Wait(mutex, deadline);
    waiter.wake = nullptr;
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    if (waiter.next != nullptr) waiter.next->previous = waiter.previous;
  }

 private:
  bool taken_ = false;
  Waiter* first_ = nullptr;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_READ_TOKEN_H_
