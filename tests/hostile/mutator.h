// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Random wrongs, each near enough to what is right to get past the first check.

#ifndef FERRY_TESTS_HOSTILE_MUTATOR_H_
#define FERRY_TESTS_HOSTILE_MUTATOR_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "tests/hostile/raw_peer.h"
#include "tests/hostile/victim.h"

namespace ferry::test {

// Thread contract: thread-compatible.
class Mutator {
 public:
  Mutator(RawPeer& peer, Random& random) : peer_(peer), random_(random) {}

  // One wrong, or sometimes a frame with nothing wrong about it. Answers how many words,
  // or messages on the socket, it has changed.
  uint64_t Mutate();
  // Wrongs that a reader which reads each word once never notices: they come and go while
  // it reads.
  uint64_t MutateUnderTheReader();

 private:
  uint32_t Odd32(uint32_t usual);
  uint64_t OddPosition();
  FrameHeader SomeHeader();
  std::string SomePayload();
  std::atomic<uint32_t>& Half(uint32_t slot, int index);

  uint64_t BreakStamp();
  uint64_t BreakLength();
  uint64_t BreakPayloadEnd();
  uint64_t BreakHeader();
  uint64_t BreakAbandoned();
  uint64_t BreakReleased();
  uint64_t BreakWakes();
  uint64_t BreakAnything();
  uint64_t Flood();
  uint64_t RingTheBell();

  RawPeer& peer_;
  Random& random_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_HOSTILE_MUTATOR_H_
