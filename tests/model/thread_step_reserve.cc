// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// RingWriter::TryReserve, and Refresh in it: by a producer or whoever pumps.

#include "tests/model/thread_step.h"

namespace ferry::model {

bool ThreadStep::BeginToReserve() {
  self_.tail = self_.seen = self_.found = self_.tail_now = 0;
  return GoTo(Is(Mutation::kReleasedBeforeTail) ? At::kLoadReleased : At::kLoadTail);
}

bool ThreadStep::Reserve() {
  switch (self_.at) {
    case At::kLoadTail:
      self_.tail = own_.tail;
      return Is(Mutation::kReleasedBeforeTail) ? PlaceOrRefresh() : GoTo(At::kLoadReleased);
    case At::kLoadReleased:
      self_.seen = own_.released;
      return Is(Mutation::kReleasedBeforeTail) ? GoTo(At::kLoadTail) : PlaceOrRefresh();
    case At::kRefresh:
      self_.found = LoadPeers(kReleased);
      if (self_.found == self_.seen) {
        self_.seen = self_.found = self_.tail_now = 0;
        return LooksAgain() ? GoTo(At::kLookAgain) : NoRoom();
      }
      return GoTo(Is(Mutation::kJudgeByOldTail) ? At::kRefreshSeen : At::kRefreshTail);
    case At::kRefreshTail:
      self_.tail_now = own_.tail;
      return GoTo(Is(Mutation::kJudgeByOldTail) ? At::kRefresh : At::kRefreshSeen);
    case At::kRefreshSeen:
      // After this TryReserve loads `tail`, and makes nothing of it.
      if (own_.released != self_.seen && !Is(Mutation::kJudgeFromOld)) return BeginToReserve();
      if (!Is(Mutation::kOldTail)) self_.tail = 0;
      return MayBeReleased() ? GoTo(At::kSwapReleased) : Fail(Fault::kBadRelease);
    case At::kSwapReleased:
      if (!HasDrained()) return false;
      if (own_.released == self_.seen || Is(Mutation::kReleasedGoesBack)) {
        own_.released = self_.found;
      }
      if (Is(Mutation::kOldTail)) {
        self_.found = 0;
        return GoTo(At::kLoadReleased);
      }
      return BeginToReserve();
    case At::kLookAgain:
      return own_.tail == self_.tail ? NoRoom() : BeginToReserve();
    case At::kSwapTail: {
      if (!HasDrained()) return false;
      if (own_.tail != self_.tail) return BeginToReserve();
      self_.end = static_cast<uint8_t>(EndIn(self_.tail));
      own_.tail = Position(IndexOf(self_.tail) + 1, self_.end);
      return GoTo(At::kWriteSlotWord);
    }
    default:
      return false;
  }
}

int ThreadStep::Skipped(uint8_t tail) const {
  int offset = scenario_.OffsetOf(UnitOf(tail));
  return offset + scenario_.SizeOf(self_.message) <= scenario_.units ? 0 : scenario_.units - offset;
}

int ThreadStep::EndIn(uint8_t tail) const {
  int size = scenario_.SizeOf(self_.message);
  return size == 0 ? UnitOf(tail) : scenario_.Advance(UnitOf(tail), Skipped(tail) + size);
}

// RingWriter::Place.
bool ThreadStep::HasRoom(uint8_t tail, uint8_t released) const {
  if (WrapIndex(IndexOf(tail) - IndexOf(released)) == scenario_.slots) return false;
  int size = scenario_.SizeOf(self_.message);
  int used = scenario_.Distance(UnitOf(released), UnitOf(tail));
  return size == 0 || used + Skipped(tail) + size <= scenario_.units ||
         Is(Mutation::kRoomInSlotsOnly);
}

bool ThreadStep::PlaceOrRefresh() {
  if (HasRoom(self_.tail, self_.seen)) {
    self_.seen = 0;
    return GoTo(At::kSwapTail);
  }
  return GoTo(Is(Mutation::kJudgeByOldTail) ? At::kRefreshTail : At::kRefresh);
}

// Whether what was found lies between what was seen and `tail`.
bool ThreadStep::MayBeReleased() {
  int before = IndexOf(self_.seen);
  int unit = UnitOf(self_.seen);
  bool may =
      WrapIndex(IndexOf(self_.found) - before) <= WrapIndex(IndexOf(self_.tail_now) - before) &&
      scenario_.Distance(unit, UnitOf(self_.found)) <=
          scenario_.Distance(unit, UnitOf(self_.tail_now));
  self_.tail_now = 0;
  return may;
}

// Result::kFull.
bool ThreadStep::NoRoom() {
  self_.tail = 0;
  return Has(kPumps) ? GoTo(ArmsLater() ? At::kPumpKnown : At::kArmTx) : Stage();
}

}  // namespace ferry::model
