// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/supervisor.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(2);
constexpr int kTicksUntilSleep = 5;
constexpr int kTicksUntilQuick = 4;  // before it sleeps

}  // namespace

Supervisor::~Supervisor() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    woken_.NotifyOne();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void Supervisor::Add(std::shared_ptr<Supervised> supervised) {
  MutexLock lock(mutex_);
  entries_.push_back({std::move(supervised)});
}

void Supervisor::Remove(const Supervised& supervised) {
  std::shared_ptr<Supervised> removed;  // destroyed without the lock
  MutexLock lock(mutex_);
  auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.supervised.get() == &supervised;
  });
  if (found == entries_.end()) return;
  removed = std::move(found->supervised);
  entries_.erase(found);
}

void Supervisor::Wake() {
  MutexLock lock(mutex_);
  if (stopping_ || !asleep_.load()) return;
  asleep_.store(false);
  if (thread_.joinable()) {
    woken_.NotifyOne();
    return;
  }
  absl::StatusOr<std::thread> thread = StartThread([this] { Run(); });
  // Without a thread, handlers that take long delay others; the next one tries again.
  asleep_.store(!thread.ok());
  if (thread.ok()) thread_ = *std::move(thread);
}

void Supervisor::Run() {
  MutexLock lock(mutex_);
  int quiet_ticks = 0;
  while (!stopping_) {
    quiet_ticks = Look() ? 0 : quiet_ticks + 1;
    if (quiet_ticks < kTicksUntilSleep) {
      // All of it: after half a tick, what has just begun would look slow.
      Deadline next = DeadlineAfter(kTick);
      while (!stopping_ && !HasPassed(next)) woken_.Wait(mutex_, next);
      continue;
    }
    asleep_.store(true);
    if (Look()) asleep_.store(false);
    while (asleep_.load() && !stopping_) woken_.Wait(mutex_);
    quiet_ticks = 0;
  }
}

bool Supervisor::Look() {
  bool changed = false;
  for (Entry& entry : entries_) {
    uint64_t handler = entry.supervised->Handling();
    bool same = handler == std::exchange(entry.seen, handler);
    changed = changed || !same;
    if (same && handler % 2 != 0 && handler != entry.told) {
      entry.told = handler;
      entry.ticks_since = 0;
      entry.supervised->HandlerIsSlow(handler);
    } else if (entry.told != 0 && ++entry.ticks_since == kTicksUntilQuick) {
      entry.supervised->HandlersAreQuick();
    }
  }
  return changed;
}

}  // namespace ferry::internal
