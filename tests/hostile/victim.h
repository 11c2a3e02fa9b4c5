// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What must hold of a transport whatever its peer does, checked while it is used.

#ifndef FERRY_TESTS_HOSTILE_VICTIM_H_
#define FERRY_TESTS_HOSTILE_VICTIM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <thread>

#include "absl/status/status.h"
#include "ferry/transport/transport.h"

namespace ferry::test {

// The randomness of these tests: from $HOSTILE_SEED if that is set. What fails says it.
uint64_t HostileSeed();
using Random = std::mt19937_64;
inline uint64_t Below(Random& random, uint64_t bound) { return random() % bound; }

// Ends the program, and says why, when nobody has called Beat for a long time: a call that
// does not return is stuck for ever.
class Watchdog {
 public:
  Watchdog();
  ~Watchdog();
  void Beat() { beats_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> beats_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

// Uses a transport as its owner would, at random. Thread contract: thread-compatible.
class Victim {
 public:
  enum class Payloads { kCopied, kInPlace };
  Victim(std::unique_ptr<Transport> transport, Watchdog& watchdog, Payloads payloads);

  // One call or a few; false when the transport is closed.
  bool Step(Random& random);
  // Only reads, at most `steps` times; false when the transport is closed.
  bool Read(int steps);
  // Expects the transport to be closed for good and for a reason that says something.
  void ExpectClosedCleanly();
  // Reads what there is, after which it has to be closed.
  absl::Status EndsWith();

  Transport& transport() { return *transport_; }
  uint64_t frames() const { return frames_; }

 private:
  // Enough to read all that an ended connection can still hold.
  static constexpr int kManySteps = 10000;

  ReadResult ReadOne();
  void Send(Random& random);
  void Look();

  std::unique_ptr<Transport> transport_;
  Watchdog& watchdog_;
  const Payloads payloads_;
  uint64_t frames_ = 0;
  bool closed_ = false;
};

// What a victim must not leak: open descriptors, and mappings of shared memory.
struct Holdings {
  static Holdings Now();
  size_t descriptors = 0;
  size_t mappings = 0;
  friend bool operator==(const Holdings& a, const Holdings& b) {
    return a.descriptors == b.descriptors && a.mappings == b.mappings;
  }
};
void PrintTo(const Holdings& holdings, std::ostream* out);

// A message passes each way over a new connection between two honest ends.
void ExpectHonestConnectionToWork();

}  // namespace ferry::test

#endif  // FERRY_TESTS_HOSTILE_VICTIM_H_
