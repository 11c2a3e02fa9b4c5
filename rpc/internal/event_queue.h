// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_EVENT_QUEUE_H_
#define FERRY_RPC_INTERNAL_EVENT_QUEUE_H_

#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/rpc/event.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Brings events to a sink one at a time and in order, from any number of threads: who
// delivers when another thread already does leaves its events to that one.
// Thread contract: thread-safe; Push under any lock, Deliver under none.
class EventQueue {
 public:
  // `sink` may be empty.
  EventQueue(EventSink sink, std::string address)
      : sink_(std::move(sink)), address_(std::move(address)) {}

  void Push(ferry::Event::Type type, std::optional<Peer> peer, absl::Status status,
            absl::Duration retry_in = absl::ZeroDuration());
  void Deliver();

  // For good: when it returns, the sink runs no more, but for one that has called this.
  void End();

 private:
  struct Entry {
    ferry::Event::Type type;
    std::optional<Peer> peer;
    absl::Status status;
    absl::Duration retry_in;
  };

  const EventSink sink_;
  const std::string address_;

  Mutex mutex_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  CondVar delivered_;
  bool is_delivering_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread::id deliverer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_EVENT_QUEUE_H_
