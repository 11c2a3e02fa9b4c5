// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What two processes that talk over rings consist of: their threads, the words that they
// share, and what is private to each process.

#ifndef FERRY_TESTS_MODEL_RING_STATE_H_
#define FERRY_TESTS_MODEL_RING_STATE_H_

#include <cstdint>

#include "tests/model/tso_memory.h"

namespace ferry::model {

enum Process : int { kA, kB };
inline constexpr int kProcesses = 2;

enum ThreadName : int { kP1, kP2, kReaderA, kP3, kReaderB };
inline constexpr int kThreads = 5;
inline constexpr Process ProcessOf(int thread) { return thread <= kReaderA ? kA : kB; }
inline constexpr Process PeerOf(Process process) { return process == kA ? kB : kA; }
inline constexpr int ReaderOf(Process process) { return process == kA ? kReaderA : kReaderB; }
inline constexpr bool IsReader(int thread) { return thread == kReaderA || thread == kReaderB; }

inline constexpr int kMaxSlots = 3;
inline constexpr int kMaxUnits = 4;
inline constexpr int kMaxMessages = 3;  // of one thread
inline constexpr int kSenders = 3;      // P1, P2 and P3

// The words that one process writes: its region, and one more.
enum Word : int {
  kStamp,
  kBody = kStamp + kMaxSlots,
  kRxWake = kBody + kMaxUnits,
  kReleased,
  kTxWake,
  kHasBacklog,  // private; but as it is read without the lock, it waits in buffers, too
};
inline constexpr int kWordsOfProcess = kHasBacklog + 1;
inline constexpr int WordIn(Process process, int word) { return process * kWordsOfProcess + word; }

// How far a ring has got: slots and units of room in one word, as `released` and `tail`
// have them.
inline constexpr int kMaxExtent = 15;  // of either
inline constexpr int SlotsOf(uint8_t extent) { return extent >> 4; }
inline constexpr int UnitsOf(uint8_t extent) { return extent & 15; }
inline constexpr uint8_t Add(uint8_t extent, int slots, int units) {
  return static_cast<uint8_t>(extent + (slots << 4) + units);
}

// A message is a byte, in each of its body's units the same; 0 is none.
inline constexpr uint8_t MessageOf(int sender, int number) {
  return static_cast<uint8_t>(1 + sender * kMaxMessages + number);
}
inline constexpr int SenderOf(uint8_t message) { return (message - 1) / kMaxMessages; }
inline constexpr int NumberOf(uint8_t message) { return (message - 1) % kMaxMessages; }

// What a thread does next; each is one access at most to what others see.
enum class At : uint8_t {
  kGone,  // killed
  // A producer.
  kReadHasBacklog,
  kReadSeen,
  kReserve,
  kReadReleased,
  kStoreSeen,
  kReserveAgain,
  kLock,
  kDone,
  // A producer or whoever pumps.
  kWrite,
  kCommit,
  kReadRxWake,
  kRingForData,
  // Whoever pumps.
  kSetHasBacklog,
  kPumpReadTail,
  kPumpReadReleased,
  kPumpReserve,
  kArmTx,
  kCheckReleased,
  kClearHasBacklog,
  kUnlock,
  // A reader.
  kTake,
  kCopy,
  kPublish,
  kReadTxWake,
  kRingForRoom,
  kDrain,
  kArmRx,
  kCheckStamp,
  kSleep,
  kSeeBacklog,
  kEnd,
};

struct Thread {
  At at;
  uint8_t sent;       // messages, by a producer
  uint8_t seen;       // of the peer's `released`; while publishing, what was published before
  uint8_t place;      // where the message goes or lies
  uint8_t message;    // being written or copied
  uint8_t units;      // of it that are
  uint8_t head;       // of a reader: what it has consumed
  uint8_t published;  // of a reader: what of that it has said
  uint8_t flags;
};
enum ThreadFlag : uint8_t {
  kPumps = 1,
  kThenSleeps = 2,  // after publishing
  kThenCopies = 4,  // the same; in a mutation only
  kMustRing = 8,    // in mutations only
  kUndrained = 16,  // in a mutation only
  kSawEnd = 32,
};

struct PrivateWords {
  uint8_t locked;
  uint8_t tail;
  uint8_t released_seen;
  uint8_t backlog[2 * kMaxMessages];
};

enum class Fault : uint8_t { kNone, kWrongBody, kWrongOrder };

struct RingState {
  // Without mutations, at most a body's units wait in a buffer, so 4 is enough.
  TsoMemory<kProcesses * kWordsOfProcess, kThreads, 4> memory;
  Thread threads[kThreads];
  PrivateWords own[kProcesses];
  uint8_t doorbell[kProcesses];  // a byte is unread at this process' socket
  uint8_t delivered[kSenders];   // messages of each
  uint8_t killed;                // A is
  uint8_t owed;                  // what B has to consume even so
  Fault fault;
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_RING_STATE_H_
