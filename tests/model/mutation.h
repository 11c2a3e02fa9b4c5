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
  kNoPumpOnWaking,
  kNoLookAfterEnd,
  // Done wrongly.
  kCheckRoomOnly,
  kRoomInSlotsOnly,
  kRxWakeOffByOne,
  kTxWakeOffByOne,
  kBacklogOvertaken,
  // In the wrong order.
  kDrainAfterLooking,
  kRxWakeBeforeStamp,
  kTxWakeBeforeReleased,
  kReleaseBeforeCopy,
  kTailBeforeReleased,
  kHasBacklogAfterPump,
};

struct NamedMutation {
  Mutation mutation;
  const char* name;
  const char* what;
};

inline constexpr NamedMutation kMutations[] = {
    {Mutation::kPlainStamp, "plain-stamp", "a commit's stamp is a plain store"},
    {Mutation::kPlainRxWake, "plain-rx-wake", "rx_wake is a plain store"},
    {Mutation::kPlainReleased, "plain-released", "released is a plain store"},
    {Mutation::kPlainTxWake, "plain-tx-wake", "tx_wake is a plain store"},
    {Mutation::kNoStampCheck, "no-stamp-check", "sleeps without looking at the slot again"},
    {Mutation::kNoReleasedCheck, "no-released-check", "pump leaves without reading released again"},
    {Mutation::kNoPublishBeforeSleep, "no-publish", "sleeps on releases not published"},
    {Mutation::kNoPumpOnWaking, "no-pump", "reader does not pump when it wakes"},
    {Mutation::kNoLookAfterEnd, "no-look-after-end", "reader stops at the end without a look"},
    {Mutation::kCheckRoomOnly, "check-room-only", "pump asks for room, not for a changed released"},
    {Mutation::kRoomInSlotsOnly, "room-in-slots-only", "the units of a body are not counted"},
    {Mutation::kRxWakeOffByOne, "rx-wake-off-by-one", "rings for the slot after the committed"},
    {Mutation::kTxWakeOffByOne, "tx-wake-off-by-one", "rings for the released after, not before"},
    {Mutation::kBacklogOvertaken, "backlog-overtaken", "producers ignore has_backlog"},
    {Mutation::kDrainAfterLooking, "drain-after-looking", "drains after ring and backlog"},
    {Mutation::kRxWakeBeforeStamp, "rx-wake-before-stamp", "reads rx_wake, then stores the stamp"},
    {Mutation::kTxWakeBeforeReleased, "tx-wake-before-released", "reads tx_wake, then publishes"},
    {Mutation::kReleaseBeforeCopy, "release-before-copy", "publishes, then copies the body out"},
    {Mutation::kTailBeforeReleased, "tail-before-released", "pump reads tail, then released"},
    {Mutation::kHasBacklogAfterPump, "has-backlog-after-pump", "pumps, then sets has_backlog"},
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_MUTATION_H_
