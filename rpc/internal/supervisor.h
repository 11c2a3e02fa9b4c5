// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SUPERVISOR_H_
#define FERRY_RPC_INTERNAL_SUPERVISOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// What a supervisor looks at. Thread contract: thread-safe.
class Supervised {
 public:
  // Another number for each handler that runs; even when none does. Sequentially
  // consistent: see Supervisor.
  virtual uint64_t Handling() const = 0;

  // The handler of that number has been running for a while.
  virtual void HandlerIsSlow(uint64_t handler) = 0;

  // None has for some ticks since.
  virtual void HandlersAreQuick() = 0;

 protected:
  ~Supervised() = default;
};

// Finds handlers that run for long. Its thread is started for the first handler; it looks
// every 2 ms while handlers run, and sleeps once none has begun or ended for 10 ms.
//
// Thread contract: thread-safe. Order: who enters a handler changes Handling() and then
// looks whether the supervisor is asleep; the supervisor says that it is, and then looks
// at Handling() once more. All four are sequentially consistent, so one sees the other.
class Supervisor {
 public:
  Supervisor() = default;
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // It never looks at anything, nor starts its thread. Before all else.
  void Disable() { asleep_.store(false); }

  void Add(std::shared_ptr<Supervised> supervised);
  // Afterwards it is looked at no more.
  void Remove(const Supervised& supervised);

  // To be called when a handler has been entered.
  void Notice() {
    if (asleep_.load()) Wake();
  }

 private:
  struct Entry {
    std::shared_ptr<Supervised> supervised;
    uint64_t seen = 0;  // what Handling said
    uint64_t told = 0;  // for what HandlerIsSlow was called
    int ticks_since = 0;
  };

  void Wake();
  void Run();
  // Answers whether something has changed since the last look.
  bool Look() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<bool> asleep_{true};  // changed under the lock

  Mutex mutex_;
  CondVar woken_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SUPERVISOR_H_
