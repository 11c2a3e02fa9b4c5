// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Each wrong that a peer can do in its region, alone: what the other end says of it.

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/hostile/raw_peer.h"
#include "tests/hostile/victim.h"

namespace ferry::test {
namespace {

using internal::RingPosition;
using internal::RingSlot;

constexpr uint32_t kSlots = 128;
constexpr uint32_t kRing = kSmallRing;

class RegionTest : public testing::Test {
 protected:
  void SetUp() override {
    ExpectHonestConnectionToWork();
    before_ = Holdings::Now();
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
    attacker().Greet();
    EXPECT_TRUE(victim_->Read(2));
  }
  void TearDown() override {
    victim_.reset();
    duel_ = {};
    EXPECT_EQ(Holdings::Now(), before_);
    ExpectHonestConnectionToWork();
  }

  RawPeer& attacker() { return *duel_.attacker; }
  void ExpectEnd(absl::StatusCode code, const std::string& part) {
    absl::Status end = victim_->EndsWith();
    EXPECT_EQ(end.code(), code) << end;
    EXPECT_NE(end.message().find(part), absl::string_view::npos) << end;
  }
  void ExpectBroken(const std::string& part) { ExpectEnd(absl::StatusCode::kDataLoss, part); }

  static FrameHeader Reply() {
    FrameHeader header;
    header.type = FrameType::kReply;
    return header;
  }
  void PutAndRead(int count) {
    for (int i = 0; i < count; ++i) {
      attacker().Put(Reply(), "x");
      EXPECT_TRUE(victim_->Read(1));
    }
  }
  void SetStamp(uint32_t stamp) {
    attacker().slot(attacker().next()).words[0] = RingSlot::Commit(stamp, 0);
  }
  // The next slot, with a payload that ends where it says.
  void PutWithEnd(uint32_t length, uint32_t end) {
    RingSlot& slot = attacker().slot(attacker().next());
    FrameHeader header = Reply();
    header.length = length;
    char bytes[kFrameHeaderSize];
    EncodeFrameHeader(header, bytes);
    std::memcpy(slot.bytes() + RingSlot::kHeader, bytes, sizeof(bytes));
    std::memcpy(slot.bytes() + RingSlot::kPayload, &end, sizeof(end));
    slot.words[0] = RingSlot::Commit(attacker().next() + 1, length);
  }
  // Lets the victim send `count` small frames. Whether it could.
  bool Send(int count) {
    for (int i = 0; i < count; ++i) {
      Reservation reservation;
      if (victim_->transport().Reserve(Reply(), 100, reservation) != ReserveResult::kOk) {
        return false;
      }
      std::memset(reservation.data, 1, 100);
      victim_->transport().Commit(reservation);
    }
    return true;
  }

  Watchdog watchdog_;
  Holdings before_;
  Duel duel_;
  std::optional<Victim> victim_;
};

TEST_F(RegionTest, AStampAheadIsBroken) {
  SetStamp(2);
  ExpectBroken("broken ring: slot 0 has stamp 2, expected 1 or 0");
}

TEST_F(RegionTest, AStampOfTwoLapsAgoIsBroken) {
  PutAndRead(2 * kSlots);
  SetStamp(1);
  ExpectBroken(absl::StrCat("broken ring: slot 0 has stamp 1, expected ", 2 * kSlots + 1, " or ",
                            kSlots + 1));
}

TEST_F(RegionTest, AStampBackAtZeroIsBroken) {
  PutAndRead(kSlots);
  SetStamp(0);
  ExpectBroken("broken ring: slot 0 has stamp 0");
}

TEST_F(RegionTest, SlotsOverwrittenBeforeTheyWereReadAreBroken) {
  for (uint32_t i = 0; i <= kSlots; ++i) attacker().Put(Reply(), "x");
  ExpectBroken(absl::StrCat("broken ring: slot 0 has stamp ", kSlots + 1));
}

TEST_F(RegionTest, ALengthBeyondAFrameIsBroken) {
  for (uint32_t length : {kRing / 4 + 1, kRing, 0x7fffffffu}) {
    PutWithEnd(length, 64);
    ExpectBroken(absl::StrCat("broken frame: reply of ", length, " bytes, expected at most 4096"));
    TearDown();
    SetUp();
  }
}

TEST_F(RegionTest, APayloadThatEndsOutsideIsBroken) {
  for (uint32_t end : {2 * kRing, 2 * kRing + 64, 0x80000000u, ~0u}) {
    PutWithEnd(64, end);
    ExpectBroken(absl::StrCat("a payload of 64 bytes ends at ", end, " of ", 2 * kRing));
    TearDown();
    SetUp();
  }
}

TEST_F(RegionTest, APayloadOverTheEndOfTheRingIsBroken) {
  for (uint32_t end : {1u, 63u, kRing + 1, kRing + 4095, kRing + 64}) {
    PutWithEnd(4096, end);
    ExpectBroken(absl::StrCat("a payload of 4096 bytes ends at ", end, " of ", 2 * kRing));
    TearDown();
    SetUp();
  }
}

// It is the peer's payload, wherever that says it is.
TEST_F(RegionTest, APayloadAtAnOddPlaceIsRead) {
  for (uint32_t end : {127u, kRing - 1, kRing, 2 * kRing - 1, 0u, 64u}) {
    PutWithEnd(64, end);
    EXPECT_TRUE(victim_->Read(1)) << end << ": " << victim_->transport().close_reason();
    TearDown();
    SetUp();
  }
}

TEST_F(RegionTest, AnAbandonedSlotIsHeldToTheSameBounds) {
  PutWithEnd(RingSlot::kAbandoned | 64, 2 * kRing);
  ExpectBroken(absl::StrCat("ends at ", 2 * kRing));
}

TEST_F(RegionTest, AbandonedSlotsWithoutEndKeepNobodyBusy) {
  for (int lap = 0; lap < 1000; ++lap) {
    for (uint32_t i = 0; i < kSlots; ++i) attacker().Put({}, "", RingSlot::kAbandoned);
    EXPECT_TRUE(victim_->Read(1));
  }
  EXPECT_EQ(victim_->frames(), 0u);
}

TEST_F(RegionTest, AnUnknownFrameIsBroken) {
  attacker().Put({}, "");
  ExpectBroken("broken frame: unknown type 0");
}

TEST_F(RegionTest, ReleasingWhatWasNeverSentIsBroken) {
  const RingPosition kBad[] = {{500, 0}, {~0u, 0}, {1, 2 * kRing}, {1, ~0u}};
  for (const RingPosition& bad : kBad) {
    attacker().control().released = bad.Pack();
    EXPECT_FALSE(Send(1000));
    ExpectBroken("broken ring: the peer has released what was never sent");
    TearDown();
    SetUp();
  }
}

TEST_F(RegionTest, ReleasingBackwardsIsBroken) {
  EXPECT_TRUE(Send(kSlots / 2 + 10));
  FrameHeader header;
  std::string payload;
  while (attacker().TakeFrame(header, payload)) {
  }
  EXPECT_TRUE(Send(kSlots - 10));  // it has seen what was released
  attacker().control().released = RingPosition{1, 128}.Pack();
  Send(2 * kSlots);
  ExpectBroken("broken ring: the peer has released what was never sent");
}

TEST_F(RegionTest, WakeWordsOfAnyValueDoNoHarm) {
  Random random(HostileSeed());
  FrameHeader header;
  std::string payload;
  for (int i = 0; i < 1000; ++i) {
    attacker().control().wake_at_slot = i % 3 == 0 ? static_cast<uint64_t>(i) : random();
    attacker().control().wake_after_release = random();
    EXPECT_TRUE(Send(1));
    EXPECT_TRUE(attacker().TakeFrame(header, payload));
    PutAndRead(1);
  }
}

// Also when what was wrong is no more.
TEST_F(RegionTest, TheEndStaysTheEnd) {
  const std::string large(4096, 'x');
  SetStamp(7);
  EXPECT_FALSE(victim_->Read(5));
  SetStamp(0);
  for (uint32_t i = 0; i < 3 * kSlots; ++i) {
    attacker().Put(Reply(), large);
    EXPECT_FALSE(victim_->Read(1));
  }
  ExpectBroken("broken ring: slot 0 has stamp 7");
  EXPECT_EQ(victim_->frames(), 0u);
}

TEST_F(RegionTest, APeerThatHangsUpAndWritesOnIsHeardForALapAtMost) {
  const std::string large(4096, 'x');
  attacker().Put(Reply(), large);
  attacker().Hang();
  WaitOptions look;
  look.deadline = Deadline::min();
  victim_->transport().Wait(look);
  for (uint32_t i = 0; i < 3 * kSlots; ++i) {
    attacker().Put(Reply(), large);
    victim_->Read(1);
  }
  EXPECT_EQ(victim_->frames(), kSlots);
  ExpectEnd(absl::StatusCode::kUnavailable, "closed the connection");
}

}  // namespace
}  // namespace ferry::test
