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
  if (self_.at <= At::kSwapTail) return Reserve();
  if (self_.at <= At::kRingForData) return WriteAndCommit();
  if (self_.at <= At::kUnlock) return Pump();
  if (self_.at <= At::kRingForRoom) return Read();
  return SleepAndWake();
}

bool ThreadStep::Produce() {
  switch (self_.at) {
    case At::kReadHasBacklog:
      self_.message = MessageOf(SenderOfThread(thread_), self_.sent);
      if (LoadOwn(kHasBacklog) != 0 && !Is(Mutation::kBacklogOvertaken)) return Stage();
      return BeginToReserve();
    case At::kLockToAppend:
      if (!Lock()) return false;
      *std::find(std::begin(own_.backlog), std::end(own_.backlog), 0) = self_.message;
      self_.message = 0;
      return GoTo(Is(Mutation::kHasBacklogAfterPump) ? At::kUnlockAppended : At::kSetHasBacklog);
    case At::kSetHasBacklog:
      return SeqCstStore(kHasBacklog, true) && GoTo(At::kUnlockAppended);
    case At::kUnlockAppended:
      return Unlock() && GoTo(At::kLockToPump);
    case At::kFlush:
      if (LoadOwn(kHasBacklog) == 0) return NextMessage();
      Set(kFlushes);
      return GoTo(At::kLockToPump);
    default:
      return false;
  }
}

// What is abandoned here has not been in the ring.
bool ThreadStep::Stage() {
  if (!scenario_.IsAbandoned(self_.message)) return GoTo(At::kLockToAppend);
  self_.message = 0;
  return NextMessage();
}

bool ThreadStep::Flush() {
  return scenario_.Has(Scenario::kNoFlush) || Has(kFlushes) ? NextMessage() : GoTo(At::kFlush);
}

bool ThreadStep::NextMessage() {
  Clear(kFlushes);
  bool more = ++self_.sent < scenario_.CountOf(SenderOfThread(thread_));
  return GoTo(more ? At::kReadHasBacklog : At::kDone);
}

bool ThreadStep::WriteAndCommit() {
  int size = scenario_.SizeOf(self_.message);
  int index = IndexOf(self_.tail);
  int slot = index % scenario_.slots;
  // Nobody else writes it now.
  uint8_t slot_word = LoadOwn(kSlotWord + slot);
  switch (self_.at) {
    case At::kWriteSlotWord:
      return PlainStore(kSlotWord + slot, SlotWord(StampOf(slot_word), size)) &&
             GoTo(At::kWriteSlotRest);
    case At::kWriteSlotRest:
      if (!PlainStore(kSlotRest + slot, size == 0 ? self_.message : self_.end)) return false;
      return size == 0 ? WriteIsOver() : GoTo(At::kWrite);
    case At::kWrite:
      if (!PlainStore(kBody + scenario_.BodyAt(self_.end, size) + self_.units, self_.message)) {
        return false;
      }
      return ++self_.units < size || WriteIsOver();
    case At::kMarkAbandoned:
      if (!PlainStore(kSlotWord + slot, slot_word | kAbandoned)) return false;
      return GoTo(Is(Mutation::kRxWakeBeforeStamp) ? At::kReadRxWake : At::kCommit);
    case At::kCommit: {
      int stale = StampOf(slot_word);
      int stamp = stale == 0 ? slot + 1 : stale + scenario_.slots;
      auto stored = static_cast<uint8_t>((slot_word - stale) | WrapIndex(stamp));
      if (!SeqCstStore(kSlotWord + slot, stored, Mutation::kPlainStamp)) {
        return false;
      }
      if (!Is(Mutation::kRxWakeBeforeStamp)) return GoTo(At::kReadRxWake);
      return Has(kMustRing) ? GoTo(At::kRingForData) : AfterCommit();
    }
    case At::kReadRxWake: {
      int rings_for = Is(Mutation::kRxWakeOffByOne) ? WrapIndex(index + 1) : index;
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

bool ThreadStep::WriteIsOver() {
  self_.units = 0;
  self_.end = 0;
  if (scenario_.IsAbandoned(self_.message)) return GoTo(At::kMarkAbandoned);
  return GoTo(Is(Mutation::kRxWakeBeforeStamp) ? At::kReadRxWake : At::kCommit);
}

bool ThreadStep::AfterCommit() {
  bool abandoned = scenario_.IsAbandoned(self_.message);
  Clear(kMustRing);
  self_.tail = 0;
  self_.message = 0;
  if (!Has(kPumps)) return abandoned ? NextMessage() : Flush();
  RemoveFirst(own_.backlog);
  return PumpNext();
}

bool ThreadStep::Pump() {
  switch (self_.at) {
    case At::kLockToPump:
      if (!Lock()) return false;
      Set(kPumps);
      return ArmsLater() ? PumpNext() : GoTo(At::kPumpKnown);
    case At::kPumpKnown:
      self_.known = own_.released;
      return ArmsLater() ? GoTo(At::kArmTx) : PumpNext();
    case At::kArmTx:
      if (!SeqCstStore(kTxWake, self_.known, Mutation::kPlainTxWake)) return false;
      return Is(Mutation::kNoReleasedCheck) ? PumpIsOver() : GoTo(At::kCheckReleased);
    case At::kCheckReleased: {
      uint8_t released = LoadPeers(kReleased);
      bool again =
          Is(Mutation::kCheckRoomOnly) ? HasRoom(own_.tail, released) : released != self_.known;
      if (!again) return PumpIsOver();
      self_.known = self_.message = 0;
      return ArmsLater() ? PumpNext() : GoTo(At::kPumpKnown);
    }
    case At::kSetHasBacklogLate:
      return SeqCstStore(kHasBacklog, true) && GoTo(At::kUnlock);
    case At::kClearHasBacklog:
      return SeqCstStore(kHasBacklog, false) && GoTo(At::kUnlock);
    case At::kUnlock:
      if (!Unlock()) return false;
      Clear(kPumps);
      return IsReader(thread_) ? PublishAndArm() : Flush();
    default:
      return false;
  }
}

bool ThreadStep::PumpNext() {
  self_.message = own_.backlog[0];
  if (self_.message != 0) return BeginToReserve();
  self_.known = 0;
  return GoTo(At::kClearHasBacklog);
}

bool ThreadStep::PumpIsOver() {
  self_.known = self_.message = 0;
  return GoTo(Is(Mutation::kHasBacklogAfterPump) ? At::kSetHasBacklogLate : At::kUnlock);
}

bool ThreadStep::Lock() {
  if (own_.locked || !HasDrained()) return false;
  own_.locked = true;
  return true;
}

bool ThreadStep::Unlock() {
  if (!HasDrained()) return false;
  own_.locked = false;
  return true;
}

}  // namespace ferry::model
