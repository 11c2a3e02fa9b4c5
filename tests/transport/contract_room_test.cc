// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A peer that does not read, and is not read either once that has cost enough memory.

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "ferry/transport/wait_set.h"
#include "tests/transport/contract.h"

namespace ferry::test {
namespace {

class ContractRoom : public TransportContract {
 protected:
  static constexpr size_t kLimit = 100000;
  static constexpr int kMessages = 20;

  // b_ has more to send than it may, and something to read.
  void HoldBack() {
    b_->set_max_queued(kLimit);
    for (int i = 0; i < kMessages; ++i) {
      SendMessage(*b_, static_cast<uint32_t>(2 * i), std::string(kLimit, 'x'));
    }
    Send(*a_, 2, "request");
  }

  // Until the frames of all those messages are here, and their last.
  void ReadAll() {
    size_t received = 0;
    for (Frame frame; received < kMessages * kLimit;) {
      switch (a_->TryRead(frame)) {
        case ReadResult::kFrame:
          received += frame.header.length;
          a_->Release();
          break;
        case ReadResult::kEmpty:
          a_->Wait({});
          break;
        case ReadResult::kClosed:
          FAIL() << a_->close_reason();
      }
    }
  }

  void ExpectNothing() {
    Frame frame;
    WaitOptions look;
    for (int i = 0; i < 10; ++i) {
      look.deadline = i < 5 ? Deadline::min() : DeadlineAfter(absl::Milliseconds(5));
      EXPECT_EQ(b_->TryRead(frame), ReadResult::kEmpty);
      b_->Wait(look);
      EXPECT_FALSE(b_->Poll());
    }
  }

  void ExpectRequest(ReadResult result, const Frame& frame) {
    ASSERT_EQ(result, ReadResult::kFrame);
    EXPECT_EQ(std::string(frame.payload, frame.header.length), "request");
    b_->Release();
  }
};

TEST_P(ContractRoom, WhoSleepsReadsAgainOnceThePeerHasRead) {
  HoldBack();
  ExpectNothing();
  std::thread reader([&] { ReadAll(); });
  Frame frame;
  ReadResult result;
  WaitOptions frames_only;
  frames_only.interruptible = false;
  while ((result = b_->TryRead(frame)) == ReadResult::kEmpty) b_->Wait(frames_only);
  ExpectRequest(result, frame);
  while (b_->queued() != 0) b_->Wait({DeadlineAfter(absl::Milliseconds(1)), true});
  reader.join();
}

TEST_P(ContractRoom, WhoLooksReadsAgainOnceThePeerHasRead) {
  HoldBack();
  ExpectNothing();
  std::thread reader([&] { ReadAll(); });
  Frame frame;
  ReadResult result;
  while ((result = b_->TryRead(frame)) == ReadResult::kEmpty) {
    while (!b_->Poll()) std::this_thread::yield();
  }
  ExpectRequest(result, frame);
  while (b_->queued() != 0) b_->Wait({DeadlineAfter(absl::Milliseconds(1)), true});
  reader.join();
}

TEST_P(ContractRoom, ASetSaysWhenThePeerHasRead) {
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(b_->Join(*set, 7).ok());
  HoldBack();
  ExpectNothing();
  WaitOptions look;
  look.deadline = Deadline::min();
  Frame frame;
  ReadResult result = b_->TryRead(frame);
  for (int i = 0; !b_->Arm(); ++i) {
    // What had come before it was armed.
    if (!set->Next(DeadlineAfter(absl::Milliseconds(20))).has_value()) break;
    ASSERT_LT(i, 10) << "it is told of what it must not read";
    b_->Wait(look);
    ASSERT_EQ(b_->TryRead(frame), ReadResult::kEmpty);
  }
  std::thread reader([&] { ReadAll(); });
  for (bool got = false; !got || b_->queued() != 0; b_->Wait(look)) {
    result = b_->TryRead(frame);
    if (result != ReadResult::kEmpty) {
      ExpectRequest(result, frame);
      got = true;
    } else if (!b_->Arm()) {
      set->Next(kNoDeadline);
    }
  }
  reader.join();
  b_.reset();
}

TEST_P(ContractRoom, TheEndIsFoundAllTheSame) {
  HoldBack();
  ExpectNothing();
  std::thread leaver([&] { a_.reset(); });
  Frame frame;
  for (ReadResult result; (result = b_->TryRead(frame)) != ReadResult::kClosed;) {
    if (result == ReadResult::kFrame) b_->Release();
    if (result == ReadResult::kEmpty) b_->Wait({});
  }
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kUnavailable) << b_->close_reason();
  leaver.join();
}

TEST_P(ContractRoom, WhatHasLeftIsQueuedNoMore) {
  EXPECT_EQ(b_->queued(), 0u);
  Send(*b_, 2, "small");
  EXPECT_EQ(b_->queued(), 0u);
  Reservation empty;
  ASSERT_EQ(b_->Reserve(FrameHeader(), 0, empty), ReserveResult::kOk);
  b_->Abandon(empty);
  EXPECT_EQ(b_->queued(), 0u);
}

INSTANTIATE_CONTRACT(ContractRoom);

}  // namespace
}  // namespace ferry::test
