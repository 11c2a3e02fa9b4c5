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
  kSlotWord,
  kSlotRest = kSlotWord + kMaxSlots,  // a message without units, or the end of its units
  kBody = kSlotRest + kMaxSlots,
  kRxWake = kBody + kMaxUnits,  // wake_at_slot
  kReleased,
  kTxWake,      // wake_after_release
  kHasBacklog,  // private; but as it is read without the lock, a load can see an old one
};
inline constexpr int kWordsOfProcess = kHasBacklog + 1;
inline constexpr int WordIn(Process process, int word) { return process * kWordsOfProcess + word; }

// In rx_wake and tx_wake: neither an index nor a position.
inline constexpr uint8_t kNever = 0xFF;

// The indices of slots and their stamps wrap at 16, in place of 2^32.
inline constexpr int WrapIndex(int index) { return index & 15; }

// A RingPosition in a byte: the index of a slot, and a unit, less than twice kMaxUnits.
inline constexpr int IndexOf(uint8_t position) { return position >> 4; }
inline constexpr int UnitOf(uint8_t position) { return position & 15; }
inline constexpr uint8_t Position(int index, int unit) {
  return static_cast<uint8_t>(WrapIndex(index) << 4 | unit);
}

// The first word of a slot: stamp and length, and bit 31 of that.
inline constexpr uint8_t kAbandoned = 0x80;
inline constexpr uint8_t SlotWord(int stamp, int size) {
  return static_cast<uint8_t>(WrapIndex(stamp) | size << 4);
}
inline constexpr int StampOf(uint8_t slot_word) { return slot_word & 15; }
inline constexpr int SizeIn(uint8_t slot_word) { return slot_word >> 4 & 7; }

// A message is a byte, in each of its body's units the same; 0 is none.
inline constexpr uint8_t MessageOf(int sender, int number) {
  return static_cast<uint8_t>(1 + sender * kMaxMessages + number);
}
inline constexpr int SenderOf(uint8_t message) { return (message - 1) / kMaxMessages; }
inline constexpr int NumberOf(uint8_t message) { return (message - 1) % kMaxMessages; }

// What a thread does next; each is one access at most to what others see.
enum class At : uint8_t {
  kGone,  // killed
  // A producer: ShmTransport::Reserve, Commit, Flush.
  kReadHasBacklog,
  kLockToAppend,
  kSetHasBacklog,
  kUnlockAppended,
  kFlush,
  kDone,
  // A producer or whoever pumps: RingWriter::TryReserve.
  kLoadTail,
  kLoadReleased,
  kRefresh,
  kRefreshTail,
  kRefreshSeen,
  kSwapReleased,
  kLookAgain,
  kSwapTail,
  // The same, then RingWriter::Commit.
  kWriteSlotWord,
  kWriteSlotRest,
  kWrite,
  kMarkAbandoned,
  kCommit,
  kReadRxWake,
  kRingForData,
  // Whoever pumps: ShmTransport::Pump.
  kLockToPump,
  kPumpKnown,
  kArmTx,
  kCheckReleased,
  kSetHasBacklogLate,  // in a mutation only
  kClearHasBacklog,
  kUnlock,
  // A reader: RingReader.
  kTake,
  kTakeRest,
  kCopy,
  kPublish,
  kReadTxWake,
  kRingForRoom,
  // The same: ShmTransport::Wait.
  kSeeBacklog,
  kArmRx,
  kCheckStamp,
  kDrain,  // in a mutation only
  kSleep,
  kEnd,
};

// What no step to come reads is 0, so that fewer states differ.
struct Thread {
  At at;
  uint8_t sent;       // messages, by a producer
  uint8_t message;    // being sent or copied
  uint8_t units;      // of it that are
  uint8_t tail;       // where the message goes
  uint8_t seen;       // of the peer's `released`; while publishing, what was published before
  uint8_t found;      // what the peer has: its `released`, or the first word of a slot
  uint8_t tail_now;   // loaded after what was found
  uint8_t known;      // by who pumps, of the peer's `released`, before it looks for room
  uint8_t end;        // the unit at which the message ends
  uint8_t head;       // of a reader: what it has consumed
  uint8_t published;  // of a reader: what of that it has said
  uint8_t passed;     // of a reader: abandoned slots, one after the other
  uint8_t flags;
};
enum ThreadFlag : uint8_t {
  kPumps = 1,
  kFlushes = 2,     // pumps for the second time
  kThenSleeps = 4,  // after publishing
  kThenCopies = 8,  // the same; in a mutation only
  kOwesRing = 16,   // since it has passed abandoned slots
  kMustRing = 32,   // in mutations only
  kUndrained = 64,  // in a mutation only
  kSawEnd = 128,
};

struct PrivateWords {
  uint8_t locked;
  uint8_t tail;
  uint8_t released;
  uint8_t backlog[2 * kMaxMessages];
};

enum class Fault : uint8_t { kNone, kWrongBody, kWrongOrder, kBadFrame, kBadRelease };

struct RingState {
  // Without mutations, what waits in a buffer is at most a slot's word, twice if it is
  // abandoned, the rest of it, and a body of two units.
  TsoMemory<kProcesses * kWordsOfProcess, kThreads, 5> memory;
  Thread threads[kThreads];
  PrivateWords own[kProcesses];
  uint8_t doorbell[kProcesses];  // a byte is unread at this process' socket
  uint8_t delivered[kSenders];   // the number of the next message of each
  uint8_t killed;                // A is
  uint8_t owed;                  // what B has to consume even so
  Fault fault;
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_RING_STATE_H_
