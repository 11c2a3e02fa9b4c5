// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_MODEL_SCENARIO_H_
#define FERRY_TESTS_MODEL_SCENARIO_H_

#include <string_view>

#include "tests/model/ring_state.h"

namespace ferry::model {

// How large the rings are and who sends what.
struct Scenario {
  const char* name;
  int slots;
  int units;                         // of room for bodies
  int release_every;                 // so many slots, and before sleeping; 1 is eager
  std::string_view sends[kSenders];  // P1, P2, P3: the units of each message, as digits
  bool kill_a = false;               // at any step

  constexpr int CountOf(int sender) const { return static_cast<int>(sends[sender].size()); }
  constexpr int SizeOf(uint8_t message) const {
    return sends[SenderOf(message)][static_cast<size_t>(NumberOf(message))] - '0';
  }
  bool Sends(Process process) const {
    return process == kA ? CountOf(0) + CountOf(1) > 0 : CountOf(2) > 0;
  }

  // Whether a RingState can hold it.
  constexpr bool Fits() const {
    int total = 0;
    for (int sender = 0; sender < kSenders; ++sender) {
      if (CountOf(sender) > kMaxMessages) return false;
      for (char size : sends[sender]) total += size - '0';
    }
    return slots <= kMaxSlots && units <= kMaxUnits && total <= kMaxExtent;
  }
};

inline constexpr int SenderOfThread(int thread) { return thread == kP3 ? 2 : thread; }
inline constexpr int ThreadOfSender(int sender) { return sender == 2 ? int{kP3} : sender; }

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_SCENARIO_H_
