// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Sending: by a producer, and from the backlog by whoever pumps.

#include <algorithm>
#include <iterator>

#include "tests/model/thread_step.h"

namespace ferry::model {
namespace {

template <size_t kSize>
void RemoveFirst(uint8_t (&backlog)[kSize]) {
  std::copy(backlog + 1, backlog + kSize, backlog);
  backlog[kSize - 1] = 0;
}

}  // namespace

bool ThreadStep::Run() {
  if (self_.at <= At::kDone) return Produce();
  if (self_.at <= At::kRingForData) return WriteAndCommit();
  if (self_.at <= At::kUnlock) return Pump();
  if (self_.at <= At::kRingForRoom) return Read();
  return SleepAndWake();
}

bool ThreadStep::Produce() {
  switch (self_.at) {
    case At::kReadHasBacklog:
      self_.message = MessageOf(SenderOfThread(thread_), self_.sent);
      if (LoadOwn(kHasBacklog) != 0 && !Is(Mutation::kBacklogOvertaken)) return GoTo(At::kLock);
      return GoTo(At::kReadSeen);
    case At::kReadSeen:
      self_.seen = own_.released_seen;
      return GoTo(At::kReserve);
    case At::kReserve:
      return Reserve(At::kReadReleased);
    case At::kReadReleased:
      self_.seen = LoadPeers(kReleased);
      return GoTo(At::kStoreSeen);
    case At::kStoreSeen:
      own_.released_seen = self_.seen;
      return GoTo(At::kReserveAgain);
    case At::kReserveAgain:
      return Reserve(At::kLock);
    case At::kLock: {
      if (own_.locked || !HasDrained()) return false;
      own_.locked = true;
      Set(kPumps);
      self_.seen = 0;
      if (IsReader(thread_)) return PumpMore();
      *std::find(std::begin(own_.backlog), std::end(own_.backlog), 0) = self_.message;
      self_.message = 0;
      return Is(Mutation::kHasBacklogAfterPump) ? PumpMore() : GoTo(At::kSetHasBacklog);
    }
    default:
      return false;
  }
}

bool ThreadStep::NextMessage() {
  bool more = self_.sent < scenario_.CountOf(SenderOfThread(thread_));
  return GoTo(more ? At::kReadHasBacklog : At::kDone);
}

// In the arithmetic of unsigned words: who takes a tail from before `released` sees no room.
bool ThreadStep::HasRoom(uint8_t tail, uint8_t released, uint8_t message) const {
  auto slots = static_cast<uint8_t>(SlotsOf(tail) - SlotsOf(released));
  auto units = static_cast<uint8_t>(UnitsOf(tail) - UnitsOf(released));
  return slots < scenario_.slots &&
         (units + scenario_.SizeOf(message) <= scenario_.units || Is(Mutation::kRoomInSlotsOnly));
}

// Reads `tail` and swaps it in one step: where the swap fails, it begins again and nothing
// has happened; where it does not, `tail` is still what was read.
bool ThreadStep::Reserve(At if_full) {
  uint8_t message = Has(kPumps) ? own_.backlog[0] : self_.message;
  uint8_t tail = own_.tail;
  if (!HasRoom(tail, self_.seen, message)) return GoTo(if_full);
  if (!HasDrained()) return false;
  own_.tail = Add(tail, 1, scenario_.SizeOf(message));
  self_.place = tail;
  self_.message = message;
  self_.seen = 0;
  if (Has(kPumps)) RemoveFirst(own_.backlog);
  return GoTo(At::kWrite);
}

bool ThreadStep::WriteAndCommit() {
  int index = SlotsOf(self_.place);
  switch (self_.at) {
    case At::kWrite: {
      int unit = (UnitsOf(self_.place) + self_.units) % scenario_.units;
      if (!PlainStore(kBody + unit, self_.message)) return false;
      if (++self_.units < scenario_.SizeOf(self_.message)) return true;
      self_.units = 0;
      return GoTo(Is(Mutation::kRxWakeBeforeStamp) ? At::kReadRxWake : At::kCommit);
    }
    case At::kCommit:
      if (!SeqCstStore(kStamp + index % scenario_.slots, static_cast<uint8_t>(index + 1),
                       Mutation::kPlainStamp)) {
        return false;
      }
      if (!Is(Mutation::kRxWakeBeforeStamp)) return GoTo(At::kReadRxWake);
      return Has(kMustRing) ? GoTo(At::kRingForData) : AfterCommit();
    case At::kReadRxWake: {
      int rings_for = Is(Mutation::kRxWakeOffByOne) ? index + 1 : index;
      bool rings = LoadPeers(kRxWake) == rings_for;
      if (!Is(Mutation::kRxWakeBeforeStamp)) {
        return rings ? GoTo(At::kRingForData) : AfterCommit();
      }
      if (rings) Set(kMustRing);
      return GoTo(At::kCommit);
    }
    case At::kRingForData:  // which drains no buffer
      state_.doorbell[peer_] = true;
      return AfterCommit();
    default:
      return false;
  }
}

bool ThreadStep::AfterCommit() {
  Clear(kMustRing);
  self_.place = 0;
  self_.message = 0;
  if (Has(kPumps)) return PumpMore();
  ++self_.sent;
  return NextMessage();
}

bool ThreadStep::Pump() {
  switch (self_.at) {
    case At::kSetHasBacklog:
      if (!PlainStore(kHasBacklog, true)) return false;
      return Is(Mutation::kHasBacklogAfterPump) ? GoTo(At::kUnlock) : PumpMore();
    case At::kPumpReadTail:
      self_.place = own_.tail;
      return GoTo(At::kPumpReadReleased);
    case At::kPumpReadReleased:
      self_.seen = LoadPeers(kReleased);
      return GoTo(At::kPumpReserve);
    case At::kPumpReserve:
      if (Is(Mutation::kTailBeforeReleased) && self_.place != own_.tail) {
        // The compare-and-swap would fail; where there is no room, it is not tried.
        bool room = HasRoom(self_.place, self_.seen, own_.backlog[0]);
        self_.place = 0;
        return room ? PumpMore() : GoTo(At::kArmTx);
      }
      self_.place = 0;
      return Reserve(At::kArmTx);
    case At::kArmTx:
      if (!SeqCstStore(kTxWake, self_.seen, Mutation::kPlainTxWake)) return false;
      return Is(Mutation::kNoReleasedCheck) ? PumpIsOver() : GoTo(At::kCheckReleased);
    case At::kCheckReleased: {
      uint8_t released = LoadPeers(kReleased);
      bool again = Is(Mutation::kCheckRoomOnly) ? HasRoom(own_.tail, released, own_.backlog[0])
                                                : released != self_.seen;
      return again ? PumpMore() : PumpIsOver();
    }
    case At::kClearHasBacklog:
      return PlainStore(kHasBacklog, false) && GoTo(At::kUnlock);
    case At::kUnlock:
      if (!HasDrained()) return false;
      own_.locked = false;
      Clear(kPumps);
      if (IsReader(thread_)) return LookAtRing();
      ++self_.sent;
      return NextMessage();
    default:
      return false;
  }
}

// Takes the released count first: `tail` can only be further then.
bool ThreadStep::PumpMore() {
  self_.seen = 0;
  if (own_.backlog[0] == 0) return GoTo(At::kClearHasBacklog);
  return GoTo(Is(Mutation::kTailBeforeReleased) ? At::kPumpReadTail : At::kPumpReadReleased);
}

bool ThreadStep::PumpIsOver() {
  self_.seen = 0;
  return GoTo(Is(Mutation::kHasBacklogAfterPump) ? At::kSetHasBacklog : At::kUnlock);
}

}  // namespace ferry::model
