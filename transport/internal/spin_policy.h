// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SPIN_POLICY_H_
#define FERRY_TRANSPORT_INTERNAL_SPIN_POLICY_H_

#include <algorithm>
#include <cstdint>

namespace ferry::internal {

// Whether it pays to look again and again before a sleep, learned from how that went
// lately: who waits for a quick peer goes on, who waits in vain does so ever more rarely.
// Thread contract: thread-compatible.
class SpinPolicy {
 public:
  // Those that the thread may use. With one, the peer may have to share it, and then finds
  // nothing to answer while we look: looking in vain there weighs more.
  enum class Cpus : bool { kMany, kOne };
  void set_cpus(Cpus cpus) { cpus_ = cpus; }
  Cpus cpus() const { return cpus_; }

  // To be asked before each sleep.
  bool ShallLook() {
    if (to_skip_ == 0) return true;
    --to_skip_;
    return false;
  }

  void Succeeded() { failures_ = 0; }

  // Among the first looks, after some that found nothing: the peer has hardly had this CPU
  // in between. (Of what the very first look finds that cannot be told.)
  void SucceededSoon() {
    if (failures_ != 0) --failures_;
  }

  void Failed() {
    if (cpus_ == Cpus::kOne) {
      Fail(4, kMostWhereScarce);
    } else {
      Fail(1, kMost);
    }
  }

  // The CPU was wanted: others got it while we looked, and what was found perhaps came only
  // then, or it came as soon as we slept.
  void WasInTheWay() { Fail(3, kMostWhereScarce); }

 private:
  // From the second failure on, 1, 2, 4, … waits go without a look: a slow peer costs as many
  // times the limit itself, but one that needs our CPU may be quick.
  static constexpr uint32_t kFree = 2;
  static constexpr uint32_t kMost = kFree + 8;              // 256 waits
  static constexpr uint32_t kMostWhereScarce = kFree + 10;  // 1024

  void Fail(uint32_t weight, uint32_t most) {
    failures_ = std::max(failures_, std::min(failures_ + weight, most));
    if (failures_ >= kFree) to_skip_ = uint32_t{1} << (failures_ - kFree);
  }

  Cpus cpus_ = Cpus::kMany;
  uint32_t failures_ = 0;  // since the last success, weighted
  uint32_t to_skip_ = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SPIN_POLICY_H_
