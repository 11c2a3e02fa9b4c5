// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/spinner.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

// A batch of looks hardly ever takes as long as that, unless others had the CPU: for so
// short a time on the only one, if one of them was the peer.
constexpr std::chrono::microseconds kGap{5};
constexpr std::chrono::microseconds kGapOnOneCpu{2};

// A peer on another CPU hardly ever happens to answer just then, and needs longer to wake us.
constexpr std::chrono::microseconds kShortSleep{30};

// Somebody may pin a process at any time.
constexpr std::chrono::milliseconds kCountCpusAgain{10};

// The threads of this process that spin. Relaxed: it orders nothing.
std::atomic<int> spinning{0};

// Whether others had the CPU since this thread asked last.
bool WasPreempted() {
  thread_local int64_t seen = sys::Preemptions();
  int64_t now = sys::Preemptions();
  return std::exchange(seen, now) != now;
}

// In a forked process none does.
[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { spinning.store(0, std::memory_order_relaxed); });

}  // namespace

bool Spinner::Begin(absl::Duration limit, Deadline deadline) {
  if (spinning.fetch_add(1, std::memory_order_relaxed) >= CpuLimit() / 2) {
    spinning.fetch_sub(1, std::memory_order_relaxed);
    policy_.Failed();
    return false;
  }
  last_look_ = Clock::now();
  until_ = std::min(last_look_ + absl::ToChronoNanoseconds(limit), deadline);
  preempted_ = false;
  WasPreempted();  // what was before is not to the point
  if (last_look_ >= cpus_counted_ + kCountCpusAgain) {
    cpus_counted_ = last_look_;
    policy_.set_cpus(sys::AllowedCpus() == 1 ? SpinPolicy::Cpus::kOne : SpinPolicy::Cpus::kMany);
  }
  return true;
}

bool Spinner::GoesOn() {
  Clock::time_point now = Clock::now();
  bool shares = policy_.cpus() == SpinPolicy::Cpus::kOne;
  if (now > last_look_ + (shares ? kGapOnOneCpu : kGap) && WasPreempted()) preempted_ = true;
  last_look_ = now;
  return now < until_ && !preempted_;
}

bool Spinner::End(bool found) {
  spinning.fetch_sub(1, std::memory_order_relaxed);
  if (found) GoesOn();
  if (preempted_) {
    policy_.WasInTheWay();
  } else if (found) {
    policy_.Succeeded();
  } else {
    policy_.Failed();
    failed_ = true;
  }
  return found;
}

void Spinner::JudgeSleep() {
  failed_ = false;
  if (Clock::now() < last_look_ + kShortSleep) policy_.WasInTheWay();
}

}  // namespace ferry::internal
