// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Reading, sleeping and waking: by a process' reader.

#include "tests/model/thread_step.h"

namespace ferry::model {

// RingReader::TryNext and Release.
bool ThreadStep::Read() {
  switch (self_.at) {
    case At::kTake: {
      uint8_t slot_word = LoadPeers(kSlotWord + HeadSlot());
      if (StampOf(slot_word) != WrapIndex(IndexOf(self_.head) + 1)) {
        return IsStale(slot_word) ? FallAsleep() : Fail(Fault::kBadFrame);
      }
      self_.found = slot_word;
      return GoTo(At::kTakeRest);
    }
    case At::kTakeRest:
      return TakeRest();
    case At::kCopy:
      return Copy();
    case At::kPublish:
      return Publish();
    case At::kReadTxWake: {
      // While it publishes, `seen` is what was published before.
      uint8_t rings_for = Is(Mutation::kTxWakeOffByOne) ? self_.published : self_.seen;
      if (LoadPeers(kTxWake) == rings_for) Set(kMustRing);
      return Is(Mutation::kTxWakeBeforeReleased) ? GoTo(At::kPublish) : RingOrOwe();
    }
    case At::kRingForRoom:  // which drains no buffer
      state_.doorbell[peer_] = true;
      return AfterPublish();
    default:
      return false;
  }
}

bool ThreadStep::IsStale(uint8_t slot_word) const {
  return StampOf(slot_word) == scenario_.StaleStamp(IndexOf(self_.head));
}

bool ThreadStep::TakeRest() {
  uint8_t rest = LoadPeers(kSlotRest + HeadSlot());
  int size = SizeIn(self_.found);
  bool abandoned = (self_.found & kAbandoned) != 0 && !Is(Mutation::kAbandonedIsRead);
  self_.end = size == 0 ? static_cast<uint8_t>(UnitOf(self_.head)) : rest;
  if (size != 0 &&
      (rest >= 2 * scenario_.units || scenario_.BodyAt(rest, size) + size > scenario_.units)) {
    return Fail(Fault::kBadFrame);
  }
  if (abandoned) {
    Advance();
    ++self_.passed;
    return HasReadMuch() ? BeginToPublish() : AfterPassing();
  }
  self_.passed = 0;
  if (size == 0) {
    self_.message = rest;
    return Deliver();
  }
  if (!Is(Mutation::kReleaseBeforeCopy)) return GoTo(At::kCopy);
  uint8_t end = self_.end;
  uint8_t found = self_.found;
  Advance();
  self_.end = end;
  self_.found = found;
  Set(kThenCopies);
  return BeginToPublish();
}

// Of a lap, it looks no further: but as it finds a frame before it sleeps, it stays awake.
bool ThreadStep::AfterPassing() {
  if (self_.passed != scenario_.slots) return GoTo(At::kTake);
  self_.passed = 0;
  return FallAsleep();
}

// One unit. A body that is not one message's from end to end was written to meanwhile.
bool ThreadStep::Copy() {
  int size = SizeIn(self_.found);
  uint8_t unit = LoadPeers(kBody + scenario_.BodyAt(self_.end, size) + self_.units);
  if (self_.units == 0) self_.message = unit;
  if (unit == 0 || unit != self_.message) return Fail(Fault::kWrongBody);
  return ++self_.units < size || Deliver();
}

// A whole body that is not the one committed here is told by its number: it has been
// delivered before, or comes again.
bool ThreadStep::Deliver() {
  int sender = SenderOf(self_.message);
  int number = NumberOf(self_.message);
  if (scenario_.NextDelivered(sender, state_.delivered[sender]) != number) {
    return Fail(Fault::kWrongOrder);
  }
  state_.delivered[sender] = static_cast<uint8_t>(scenario_.NextDelivered(sender, number + 1));
  self_.message = 0;
  self_.units = 0;
  if (Is(Mutation::kReleaseBeforeCopy) && SizeIn(self_.found) != 0) {
    self_.end = self_.found = 0;
    return GoTo(At::kTake);
  }
  Advance();
  return HasReadMuch() || Has(kOwesRing) ? BeginToPublish() : GoTo(At::kTake);
}

void ThreadStep::Advance() {
  self_.head = Position(IndexOf(self_.head) + 1, self_.end);
  self_.end = 0;
  self_.found = 0;
}

bool ThreadStep::HasReadMuch() const {
  return WrapIndex(IndexOf(self_.head) - IndexOf(self_.published)) >= scenario_.release_every;
}

bool ThreadStep::BeginToPublish() {
  if (self_.head == self_.published) return RingOrOwe();
  self_.seen = self_.published;
  return GoTo(Is(Mutation::kTxWakeBeforeReleased) ? At::kReadTxWake : At::kPublish);
}

bool ThreadStep::Publish() {
  if (!SeqCstStore(kReleased, self_.head, Mutation::kPlainReleased)) return false;
  self_.published = self_.head;
  return Is(Mutation::kTxWakeBeforeReleased) ? RingOrOwe() : GoTo(At::kReadTxWake);
}

// Among abandoned slots it is put off, to the next Publish.
bool ThreadStep::RingOrOwe() {
  bool must = Has(kMustRing) || Has(kOwesRing);
  self_.seen = 0;
  Clear(kMustRing);
  Clear(kOwesRing);
  if (!must) return AfterPublish();
  if (self_.passed == 0) return GoTo(At::kRingForRoom);
  if (!Is(Mutation::kOwedRingForgotten)) Set(kOwesRing);
  return AfterPublish();
}

bool ThreadStep::AfterPublish() {
  if (self_.passed != 0) return AfterPassing();
  if (Has(kThenCopies)) {
    Clear(kThenCopies);
    return GoTo(At::kCopy);
  }
  if (!Has(kThenSleeps)) return GoTo(At::kTake);
  Clear(kThenSleeps);
  return GoTo(At::kArmRx);
}

// ShmTransport::Wait: HasReasonToStayAwake, then the sleep.
bool ThreadStep::FallAsleep() {
  self_.passed = 0;
  if (Has(kSawEnd)) return GoTo(At::kEnd);
  bool pumps = scenario_.Sends(process_) && !Is(Mutation::kNoPumpBeforeSleep);
  return pumps ? GoTo(At::kSeeBacklog) : PublishAndArm();
}

bool ThreadStep::PublishAndArm() {
  if (!Consumes()) return Sleep();
  if (Is(Mutation::kNoPublishBeforeSleep)) return GoTo(At::kArmRx);
  Set(kThenSleeps);
  return BeginToPublish();
}

bool ThreadStep::Sleep() { return GoTo(Has(kUndrained) ? At::kDrain : At::kSleep); }

bool ThreadStep::SleepAndWake() {
  switch (self_.at) {
    case At::kSeeBacklog:
      return LoadOwn(kHasBacklog) != 0 ? GoTo(At::kLockToPump) : PublishAndArm();
    case At::kArmRx:
      if (!SeqCstStore(kRxWake, static_cast<uint8_t>(IndexOf(self_.head)),
                       Mutation::kPlainRxWake)) {
        return false;
      }
      return Is(Mutation::kNoStampCheck) ? Sleep() : GoTo(At::kCheckStamp);
    case At::kCheckStamp:
      return IsStale(LoadPeers(kSlotWord + HeadSlot())) ? Sleep() : GoTo(At::kTake);
    case At::kDrain:
      state_.doorbell[process_] = false;
      Clear(kUndrained);
      return GoTo(At::kSleep);
    case At::kSleep: {
      // Waking and draining are one step: only this thread drains, so what wakes it is
      // still there.
      bool ended = state_.killed && process_ == kB;
      if (!state_.doorbell[process_] && !ended) return false;
      if (!Is(Mutation::kDrainAfterLooking)) {
        state_.doorbell[process_] = false;
      } else {
        Set(kUndrained);
      }
      if (ended) Set(kSawEnd);
      if (ended && Is(Mutation::kNoLookAfterEnd)) return GoTo(At::kEnd);
      return Consumes() ? GoTo(At::kTake) : FallAsleep();
    }
    default:
      return false;
  }
}

}  // namespace ferry::model
