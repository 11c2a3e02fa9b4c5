// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SPINNER_H_
#define FERRY_TRANSPORT_INTERNAL_SPINNER_H_

#include <chrono>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/time/time.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/cpu_limit.h"
#include "ferry/transport/internal/spin_policy.h"

namespace ferry::internal {

// Looks again and again for what would else be slept for, since a sleep and a wake take
// longer than a quick peer. At most half of the CPUs are used for that in this process.
// Thread contract: thread-compatible.
class Spinner {
 public:
  // What a look is: some reads of memory, or a system call.
  enum class Look { kMemory, kCall };

  // Calls `look` until it answers true, or a sleep is better: false then. Returns soon
  // after the limit or the deadline; a first few looks are made whatever they are. The
  // clock is left alone while those find something.
  template <typename F>
  bool Spin(Look kind, absl::Duration limit, Deadline deadline, F look) {
    if (limit == absl::ZeroDuration() || CpuLimit() < 2 || !policy_.ShallLook()) return false;
    const int looks = kind == Look::kMemory ? kFirstReads : kFirstCalls;
    for (int i = 0; i < looks; ++i) {
      if (look()) {
        if (i >= (kind == Look::kMemory ? kTellingRead : kTellingCall)) policy_.SucceededSoon();
        return true;
      }
      if (kind == Look::kMemory) Pause();
    }
    return SpinOn(kind, limit, deadline, look);
  }

  // Whether the next wait is better a sleep at once; counts as that wait if so.
  bool Skips() { return CpuLimit() < 2 || !policy_.ShallLook(); }

  // To be called after the sleep that a Spin was followed by.
  void HasSlept() {
    if (failed_) JudgeSleep();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // As long as a quick call takes: to read the clock costs a good part of that.
  static constexpr int kFirstReads = 250;
  static constexpr int kFirstCalls = 4;
  static constexpr int kTellingRead = 3;
  static constexpr int kTellingCall = 1;

  template <typename F>
  bool SpinOn(Look kind, absl::Duration limit, Deadline deadline, F& look) {
    if (!Begin(limit, deadline)) return false;
    int batch = kind == Look::kMemory ? 64 : 4;
    bool found = false;
    while (GoesOn() && !found) {
      for (int i = 0; i < batch && !found; ++i) {
        if (kind == Look::kMemory) Pause();
        found = look();
      }
    }
    return End(found);
  }

  // Lets the other thread of the core work, and spares the pipeline what it has read ahead
  // of the answer.
  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");  // a yield does nothing on most
#endif
  }

  bool Begin(absl::Duration limit, Deadline deadline);
  bool GoesOn();
  bool End(bool found);
  void JudgeSleep();

  SpinPolicy policy_;
  Clock::time_point cpus_counted_;
  Clock::time_point last_look_;
  Clock::time_point until_;
  bool preempted_ = false;
  bool failed_ = false;  // the last one; the sleep has not been judged
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SPINNER_H_
