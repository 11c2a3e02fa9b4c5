// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in the protocol of the rings: a check that does not find them proves nothing.

#ifndef FERRY_TESTS_MODEL_MUTATION_H_
#define FERRY_TESTS_MODEL_MUTATION_H_

#include <cstdint>

namespace ferry::model {

enum class Mutation : uint8_t {
  kNone,
  // Plain stores, where the protocol has sequentially consistent ones.
  kPlainStamp,
  kPlainRxWake,
  kPlainReleased,
  kPlainTxWake,
  // Left out.
  kNoStampCheck,
  kNoReleasedCheck,
  kNoPublishBeforeSleep,
  kNoPumpBeforeSleep,
  kNoLookAfterEnd,
  kNoSecondLook,
  kOwedRingForgotten,
  kAbandonedIsRead,
  // Done wrongly.
  kCheckRoomOnly,
  kRoomInSlotsOnly,
  kRxWakeOffByOne,
  kTxWakeOffByOne,
  kBacklogOvertaken,
  kJudgeFromOld,
  kReleasedGoesBack,
  // In the wrong order.
  kDrainAfterLooking,
  kRxWakeBeforeStamp,
  kTxWakeBeforeReleased,
  kReleaseBeforeCopy,
  kReleasedBeforeTail,
  kJudgeByOldTail,
  kArmLater,
  kArmLaterNoSecondLook,
  kOldTail,
  kHasBacklogAfterPump,
};

struct NamedMutation {
  Mutation mutation;
  const char* name;
  const char* what;
  bool needs_two_senders = false;  // in one process, which takes longer
};

inline constexpr NamedMutation kMutations[] = {
    {Mutation::kPlainStamp, "plain-stamp", "a commit's stamp is a plain store"},
    {Mutation::kPlainRxWake, "plain-rx-wake", "rx_wake is a plain store"},
    {Mutation::kPlainReleased, "plain-released", "released is a plain store"},
    {Mutation::kPlainTxWake, "plain-tx-wake", "tx_wake is a plain store"},
    {Mutation::kNoStampCheck, "no-stamp-check", "sleeps without looking at the slot again"},
    {Mutation::kNoReleasedCheck, "no-released-check", "pump leaves without reading released again"},
    {Mutation::kNoPublishBeforeSleep, "no-publish", "sleeps on releases not published"},
    {Mutation::kNoPumpBeforeSleep, "no-pump", "reader does not pump before it sleeps"},
    {Mutation::kNoLookAfterEnd, "no-look-after-end", "reader stops at the end without a look"},
    {Mutation::kOwedRingForgotten, "owed-ring-forgotten", "nobody rings for abandoned slots", true},
    {Mutation::kAbandonedIsRead, "abandoned-is-read", "reader does not pass over the abandoned"},
    {Mutation::kCheckRoomOnly, "check-room-only", "pump asks for room, not for a changed released"},
    {Mutation::kRoomInSlotsOnly, "room-in-slots-only", "the units of a body are not counted"},
    {Mutation::kRxWakeOffByOne, "rx-wake-off-by-one", "rings for the slot after the committed"},
    {Mutation::kTxWakeOffByOne, "tx-wake-off-by-one", "rings for the released after, not before"},
    {Mutation::kBacklogOvertaken, "backlog-overtaken", "producers ignore has_backlog"},
    {Mutation::kJudgeFromOld, "judge-from-old", "released is judged from one that is out of date",
     true},
    {Mutation::kDrainAfterLooking, "drain-after-looking", "drains after ring and backlog"},
    {Mutation::kRxWakeBeforeStamp, "rx-wake-before-stamp", "reads rx_wake, then stores the stamp"},
    {Mutation::kTxWakeBeforeReleased, "tx-wake-before-released", "reads tx_wake, then publishes"},
    {Mutation::kReleaseBeforeCopy, "release-before-copy", "publishes, then copies the body out"},
    {Mutation::kReleasedBeforeTail, "released-before-tail", "reads released as known, then tail",
     true},
    {Mutation::kJudgeByOldTail, "judge-by-old-tail", "released is judged by tail read before it",
     true},
    {Mutation::kOldTail, "old-tail", "what was found is compared with tail from before", true},
    {Mutation::kHasBacklogAfterPump, "has-backlog-after-pump", "pumps, then sets has_backlog"},
    {Mutation::kReleasedGoesBack, "released-goes-back", "released as known is stored, not swapped",
     true},
};

// No mistakes. What is found in Refresh is only used with a `tail` loaded later, so one that
// is older than what was released is seen only where another thread has learned of that. It
// is about to reserve, and what it sends makes the peer release, and ring, once more; or it
// finds no room, and pumps.
inline constexpr NamedMutation kHarmlessMutations[] = {
    {Mutation::kNoSecondLook, "no-second-look", "a full ring is believed without tail again"},
    {Mutation::kArmLater, "arm-later", "asks to ring for released as known afterwards"},
    {Mutation::kArmLaterNoSecondLook, "neither", "both of them"},
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_MUTATION_H_
