// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_MODEL_SCENARIO_H_
#define FERRY_TESTS_MODEL_SCENARIO_H_

#include <string_view>

#include "tests/model/ring_state.h"

namespace ferry::model {

// How large the rings are and who sends what.
struct Scenario {
  enum Option : int {
    kKillA = 1,      // at any step
    kNoFlush = 2,    // nobody flushes after a commit: one reason less to pump
    kLateStart = 4,  // as if many have been sent: indices and units wrap soon
    // P3 was another thread of A, and has left all that it sends in the backlog; P1 and P2
    // are past looking for one. The reader pumps: it takes three for it to meet a `tail`
    // older than what is known to be released, beside an empty ring.
    kBacklogFirst = 8,
  };

  const char* name;
  int slots;
  int units;          // of room for bodies
  int release_every;  // so many slots, and before sleeping; 1 is eager
  // By P1, P2, P3: the units of each message, as digits; a, b, c: abandoned, 0 to 2 units.
  std::string_view sends[kSenders];
  int options = 0;

  constexpr bool Has(Option option) const { return (options & option) != 0; }
  constexpr int CountOf(int sender) const { return static_cast<int>(sends[sender].size()); }
  constexpr int SizeOf(uint8_t message) const {
    char size = Sent(SenderOf(message), NumberOf(message));
    return size >= 'a' ? size - 'a' : size - '0';
  }
  constexpr bool IsAbandoned(uint8_t message) const {
    return Sent(SenderOf(message), NumberOf(message)) >= 'a';
  }
  bool Sends(Process process) const {
    return process == kA ? CountOf(0) + CountOf(1) > 0 : CountOf(2) > 0 && !Has(kBacklogFirst);
  }
  // The number of the first message from `number` on that is to be delivered.
  int NextDelivered(int sender, int number) const {
    while (number < CountOf(sender) && Sent(sender, number) >= 'a') ++number;
    return number;
  }

  // Where units lead, as in RingGeometry.
  int OffsetOf(int unit) const { return unit >= units ? unit - units : unit; }
  int Advance(int unit, int by) const { return (unit + by) % (2 * units); }
  int Distance(int from, int to) const { return to >= from ? to - from : to + 2 * units - from; }
  int BodyAt(int end, int size) const { return OffsetOf(Advance(end, 2 * units - size)); }

  // Where both rings begin.
  uint8_t Start() const {
    return Has(kLateStart) ? Position(16 - slots, 2 * units - 1) : Position(0, 0);
  }
  // What the stamp of the slot is before the message of this index is in it.
  int StaleStamp(int index) const {
    return index < slots && !Has(kLateStart) ? 0 : WrapIndex(index + 1 - slots);
  }

  // Whether a RingState can hold it, and a message fits when it skips as much as it can.
  // No index is met again by who has slept, and slots' places follow each other where
  // indices wrap.
  constexpr bool Fits() const {
    int total = 0;
    for (int sender = 0; sender < kSenders; ++sender) {
      total += CountOf(sender);
      if (CountOf(sender) > kMaxMessages) return false;
      for (int number = 0; number < CountOf(sender); ++number) {
        if (2 * SizeOf(MessageOf(sender, number)) - 1 > units) return false;
      }
    }
    bool wraps = Has(kLateStart) && (16 % slots != 0 || Has(kKillA));
    return slots <= kMaxSlots && units <= kMaxUnits && total + kMaxSlots < 16 && !wraps;
  }

  constexpr char Sent(int sender, int number) const {
    return sends[sender][static_cast<size_t>(number)];
  }
};

inline constexpr int SenderOfThread(int thread) { return thread == kP3 ? 2 : thread; }
inline constexpr int ThreadOfSender(int sender) { return sender == 2 ? int{kP3} : sender; }

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_SCENARIO_H_
