// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_ASIDE_H_
#define FERRY_RPC_INTERNAL_ASIDE_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// Where the thread that reads a connection stands aside for those that wait for calls on it, if
// they come one soon after the other: then these read themselves, which spares each of their calls
// two wakeups. What comes for nobody who waits is read as soon as one of them does, or the thread
// is back: when there has been none for a while, or it is recalled.
//
// Thread contract: thread-safe, but for what is said.
class Aside {
 public:
  // By a thread that has to wait beside who leads. True: that one is to be woken, and is wanted to
  // stand aside.
  bool Ask();
  bool is_wanted() const { return wanted_.load(); }

  // By who leads: before it gives the lead up; until it has it again, or leaves the lane.
  using Stay = uint64_t;
  Stay Begin();
  // True: it is time to take the lead, if nobody visits; false: another thread of the lane has it.
  // Who finds a visitor wants its end: what the next Await waits for.
  bool Await(Stay stay);
  void WantEndOfVisit() { wants_end_.store(true); }
  void End(Stay stay);
  bool is_taken() const { return taken_.load(); }

  // By a thread of the lane's own that leads instead.
  void Dismiss();
  // Somebody expects something for which no thread waits, or wants a successor. False: nobody is
  // there, or has seen it, who would come.
  bool Recall() {
    if (!taken_.load()) return false;
    if (!recalled_.exchange(true)) Wake();
    return taken_.load();
  }
  // Behind End: whoever was told that there is somebody happens before this.
  void SeeRecalls() { recalled_.exchange(false); }

  // By who has given up the lead.
  void VisitEnded() {
    if (wants_end_.load()) Recall();
  }

  // For a wait; and by who leads, while nobody waits: a request has come.
  void NoteVisit() { visits_.store(visits_.load(kRelaxed) + 1, kRelaxed); }
  void NoteRequest() { last_request_.store(visits_.load(kRelaxed), kRelaxed); }
  // The peer makes calls, too: they are not to wait.
  bool has_requests() const {
    return visits_.load(kRelaxed) - last_request_.load(kRelaxed) < kFewVisits;
  }

 private:
  static constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  // Waits that come in such a time come soon, and when there is none, there are no more.
  static constexpr std::chrono::microseconds kSoon{100};
  static constexpr uint64_t kFewVisits = 64;

  void Wake();

  // Sequentially consistent: who asks, or recalls, looks at one of them after it has stored what
  // it is about; the leader looks at that once it has stored these.
  std::atomic<bool> wanted_{false};
  std::atomic<bool> taken_{false};
  std::atomic<bool> recalled_{false};
  std::atomic<bool> wants_end_{false};
  // Counts of no consequence but for speed.
  std::atomic<uint64_t> visits_{kFewVisits};
  std::atomic<uint64_t> last_request_{0};
  std::atomic<Deadline> last_asked_{Deadline()};

  Mutex mutex_;
  CondVar changed_;
  Stay stay_ ABSL_GUARDED_BY(mutex_) = 0;  // of who stands there; others are dismissed
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_ASIDE_H_
