// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_EVENT_LOG_H_
#define FERRY_TESTS_RPC_EVENT_LOG_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ferry/rpc/event.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::test {

// What a sink was told. Thread contract: thread-safe.
class EventLog {
 public:
  EventSink sink() {
    return [this](const Event& event) {
      internal::MutexLock lock(mutex_);
      types_.push_back(event.type);
      last_text_ = ToString(event);
      changed_.NotifyAll();
    };
  }

  std::vector<Event::Type> types() {
    internal::MutexLock lock(mutex_);
    return types_;
  }
  std::string last_text() {
    internal::MutexLock lock(mutex_);
    return last_text_;
  }
  // Until there have been so many of a type.
  void Await(Event::Type type, int count) {
    internal::MutexLock lock(mutex_);
    while (std::count(types_.begin(), types_.end(), type) < count) changed_.Wait(mutex_);
  }

 private:
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::vector<Event::Type> types_ ABSL_GUARDED_BY(mutex_);
  std::string last_text_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_EVENT_LOG_H_
