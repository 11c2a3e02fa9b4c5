// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Reading, sleeping and waking: by a process' reader.

#include "tests/model/thread_step.h"

namespace ferry::model {

bool ThreadStep::Read() {
  switch (self_.at) {
    case At::kTake:
      if (!HeadIsCommitted()) return FallAsleep();
      self_.place = self_.head;
      if (!Is(Mutation::kReleaseBeforeCopy)) return GoTo(At::kCopy);
      self_.head = Add(self_.head, 1, 1);
      Set(kThenCopies);
      return GoTo(At::kPublish);
    case At::kCopy:
      return Copy();
    case At::kPublish:
      return Publish();
    case At::kReadTxWake: {
      // While it publishes, `seen` is what was published before.
      uint8_t rings_for = Is(Mutation::kTxWakeOffByOne) ? self_.published : self_.seen;
      bool rings = LoadPeers(kTxWake) == rings_for;
      if (!Is(Mutation::kTxWakeBeforeReleased)) {
        return rings ? GoTo(At::kRingForRoom) : AfterPublish();
      }
      if (rings) Set(kMustRing);
      return GoTo(At::kPublish);
    }
    case At::kRingForRoom:  // which drains no buffer
      state_.doorbell[peer_] = true;
      return AfterPublish();
    default:
      return false;
  }
}

bool ThreadStep::HeadIsCommitted() const {
  int index = SlotsOf(self_.head);
  return LoadPeers(kStamp + index % scenario_.slots) == index + 1;
}

// One unit. A body that is not one message's from end to end was written to meanwhile.
bool ThreadStep::Copy() {
  uint8_t unit = LoadPeers(kBody + (UnitsOf(self_.place) + self_.units) % scenario_.units);
  if (self_.units == 0) self_.message = unit;
  if (unit == 0 || unit != self_.message) return Fail(Fault::kWrongBody);
  return ++self_.units < scenario_.SizeOf(self_.message) || Deliver();
}

// A whole body that is not the one committed here is told by its number: it has been
// delivered before, or comes again.
bool ThreadStep::Deliver() {
  uint8_t& delivered = state_.delivered[SenderOf(self_.message)];
  if (delivered != NumberOf(self_.message)) return Fail(Fault::kWrongOrder);
  ++delivered;
  if (!Is(Mutation::kReleaseBeforeCopy)) {
    self_.head = Add(self_.head, 1, scenario_.SizeOf(self_.message));
  }
  self_.place = 0;
  self_.message = 0;
  self_.units = 0;
  return AfterCopy();
}

bool ThreadStep::AfterCopy() {
  int unpublished = SlotsOf(self_.head) - SlotsOf(self_.published);
  if (unpublished < scenario_.release_every) return GoTo(At::kTake);
  return GoTo(Is(Mutation::kTxWakeBeforeReleased) ? At::kReadTxWake : At::kPublish);
}

bool ThreadStep::Publish() {
  if (!SeqCstStore(kReleased, self_.head, Mutation::kPlainReleased)) return false;
  if (Is(Mutation::kTxWakeBeforeReleased)) {
    self_.published = self_.head;
    return Has(kMustRing) ? GoTo(At::kRingForRoom) : AfterPublish();
  }
  self_.seen = self_.published;
  self_.published = self_.head;
  return GoTo(At::kReadTxWake);
}

bool ThreadStep::AfterPublish() {
  self_.seen = 0;
  Clear(kMustRing);
  if (Has(kThenCopies)) {
    Clear(kThenCopies);
    return GoTo(At::kCopy);
  }
  if (!Has(kThenSleeps)) return GoTo(At::kTake);
  Clear(kThenSleeps);
  return GoTo(At::kArmRx);
}

bool ThreadStep::FallAsleep() {
  if (Has(kSawEnd)) return GoTo(At::kEnd);
  if (Has(kUndrained)) return GoTo(At::kDrain);
  if (!Consumes()) return GoTo(At::kSleep);
  if (self_.head == self_.published || Is(Mutation::kNoPublishBeforeSleep)) {
    return GoTo(At::kArmRx);
  }
  Set(kThenSleeps);
  return GoTo(Is(Mutation::kTxWakeBeforeReleased) ? At::kReadTxWake : At::kPublish);
}

bool ThreadStep::SleepAndWake() {
  switch (self_.at) {
    case At::kArmRx:
      if (!SeqCstStore(kRxWake, static_cast<uint8_t>(SlotsOf(self_.head)),
                       Mutation::kPlainRxWake)) {
        return false;
      }
      return GoTo(Is(Mutation::kNoStampCheck) ? At::kSleep : At::kCheckStamp);
    case At::kCheckStamp:
      return GoTo(HeadIsCommitted() ? At::kTake : At::kSleep);
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
      if (ended || !scenario_.Sends(process_) || Is(Mutation::kNoPumpOnWaking)) {
        return LookAtRing();
      }
      return GoTo(At::kSeeBacklog);
    }
    case At::kSeeBacklog:
      return LoadOwn(kHasBacklog) != 0 ? GoTo(At::kLock) : LookAtRing();
    case At::kDrain:
      state_.doorbell[process_] = false;
      Clear(kUndrained);
      return FallAsleep();
    default:
      return false;
  }
}

}  // namespace ferry::model
