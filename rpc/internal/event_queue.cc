// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/event_queue.h"

namespace ferry::internal {

void EventQueue::Push(ferry::Event::Type type, std::optional<Peer> peer, absl::Status status,
                      absl::Duration retry_in) {
  if (!sink_) return;
  MutexLock lock(mutex_);
  if (has_ended_) return;
  entries_.push_back({type, std::move(peer), std::move(status), retry_in});
}

void EventQueue::Deliver() {
  if (!sink_) return;
  MutexLock lock(mutex_);
  if (is_delivering_) return;
  is_delivering_ = true;
  deliverer_ = std::this_thread::get_id();
  while (!entries_.empty()) {
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    MutexUnlock unlock(mutex_);
    const Peer* peer = entry.peer.has_value() ? &*entry.peer : nullptr;
    sink_({entry.type, address_, peer, entry.status, entry.retry_in});
  }
  is_delivering_ = false;
  delivered_.NotifyAll();
}

void EventQueue::End() {
  if (!sink_) return;
  MutexLock lock(mutex_);
  while (is_delivering_ && deliverer_ != std::this_thread::get_id()) delivered_.Wait(mutex_);
  has_ended_ = true;
  entries_.clear();
}

}  // namespace ferry::internal
