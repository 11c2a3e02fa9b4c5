// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// How a connection ends, and what is said of it.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/transport/contract.h"

namespace ferry::test {
namespace {

using std::chrono::milliseconds;

class ContractEnd : public TransportContract {};

TEST_P(ContractEnd, TheEndComesAfterWhatWasSent) {
  Send(*a_, 2, "one");
  Send(*a_, 4, "two");
  a_.reset();
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "one");
  EXPECT_EQ(received.Next(), "two");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_P(ContractEnd, SendingToAClosedTransportDoesNothing) {
  Reservation reserved = Reserve(2, "never");
  b_.reset();
  Frames received(*a_);
  EXPECT_EQ(received.Next(), "(closed)");
  a_->Commit(reserved);
  a_->Flush(kNoDeadline);
  FrameHeader header;
  Reservation reservation;
  EXPECT_EQ(a_->Reserve(header, 1, reservation), ReserveResult::kClosed);
}

TEST_P(ContractEnd, CloseWakesAReaderThatNothingElseMayInterrupt) {
  std::thread closer([&] {
    std::this_thread::sleep_for(milliseconds(20));
    b_->Close(absl::CancelledError("enough"));
  });
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "(closed)");
  closer.join();
  EXPECT_FALSE(b_->close_reason().ok());
}

TEST_P(ContractEnd, WhoSeesTheCloseSeesItsReason) {
  for (int i = 0; i < 50; ++i) {
    Meet();
    std::thread closer([&] { b_->Close(absl::CancelledError("enough")); });
    Frame frame;
    while (b_->TryRead(frame) == ReadResult::kEmpty) {
    }
    EXPECT_FALSE(b_->close_reason().ok());
    closer.join();
  }
}

TEST_P(ContractEnd, TheEndComesAfterALargeMessage) {
  std::thread reader([&] {
    Frames received(*b_);
    EXPECT_EQ(received.Next().size(), 2000000u);
    Send(*b_, 1, "got it");
    EXPECT_EQ(received.Next(), "(closed)");
  });
  Frames answers(*a_);
  SendMessage(*a_, 2, std::string(2000000, 'l'));
  EXPECT_EQ(answers.Next(), "got it");
  a_.reset();
  reader.join();
}

TEST_P(ContractEnd, LastWordsArriveFromOneWhoHasNotReadEverything) {
  Send(*a_, 2, "never read");
  Send(*b_, 1, "last words");
  b_.reset();
  Frames received(*a_);
  EXPECT_EQ(received.Next(), "last words");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(a_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_P(ContractEnd, WhoClosesReadsNoMore) {
  Send(*a_, 2, "too late");
  WaitOptions poll;
  poll.deadline = Deadline::min();
  b_->Wait(poll);
  b_->Close(absl::CancelledError("enough"));
  Frame frame;
  EXPECT_EQ(b_->TryRead(frame), ReadResult::kClosed);
}

TEST_P(ContractEnd, TheFirstReasonCounts) {
  EXPECT_TRUE(b_->close_reason().ok());
  b_->Close(absl::CancelledError("enough"));
  b_->Close(absl::InternalError("again"));
  a_.reset();
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(b_->close_reason(), absl::CancelledError("enough"));
}

TEST_P(ContractEnd, TheEndThatTheTransportFoundCountsBeforeAClose) {
  a_.reset();
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "(closed)");
  b_->Close(absl::CancelledError("enough"));
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_P(ContractEnd, BothMayCloseAtOnce) {
  for (int i = 0; i < 100; ++i) {
    Meet();
    std::thread other([&] { b_->Close(absl::CancelledError("b")); });
    a_->Close(absl::CancelledError("a"));
    other.join();
    Frames to_a(*a_), to_b(*b_);
    EXPECT_EQ(to_a.Next(), "(closed)");
    EXPECT_EQ(to_b.Next(), "(closed)");
  }
}

TEST_P(ContractEnd, AMessageLargerThanThePipeDoesNotHoldUpAClose) {
  Reservation large = Reserve(2, std::string(5000000, 'l'));
  a_->Commit(large);
  a_->Flush(Deadline::min());
  a_->Close(absl::CancelledError("enough"));
  Frames received(*b_);
  std::string next = received.Next();
  EXPECT_TRUE(next == "(closed)" || !Has(TransportKind::kStream));
}

TEST_P(ContractEnd, ABrokenHeaderIsDataLoss) {
  if (!Has(TransportKind::kStream)) return;
  Send(*a_, 2, "whole");
  FrameHeader header;  // of no type
  Reservation reservation;
  ASSERT_EQ(a_->Reserve(header, 0, reservation), ReserveResult::kOk);
  a_->Commit(reservation);
  a_->Flush(kNoDeadline);
  Send(*a_, 2, "behind");
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "whole");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kDataLoss);
  Frames answers(*a_);
  EXPECT_EQ(answers.Next(), "(closed)");
  EXPECT_EQ(a_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_P(ContractEnd, AThousandConnectionsLeaveNothingBehind) {
  size_t descriptors = CountDescriptors();
  std::vector<std::string> names = meeting_->folder().Names();
  for (int i = 0; i < 1000; ++i) {
    Meet();
    Send(*a_, 2, "question");
    Frames to_a(*a_), to_b(*b_);
    ASSERT_EQ(to_b.Next(), "question");
    Send(*b_, 1, "answer");
    ASSERT_EQ(to_a.Next(), "answer");
    (i % 2 == 0 ? a_ : b_) = nullptr;
    Frames rest(i % 2 == 0 ? *b_ : *a_);
    ASSERT_EQ(rest.Next(), "(closed)");
    (i % 2 == 0 ? b_ : a_) = nullptr;
  }
  Meet();
  EXPECT_EQ(CountDescriptors(), descriptors);
  EXPECT_EQ(meeting_->folder().Names(), names);
}

INSTANTIATE_CONTRACT(ContractEnd);

}  // namespace
}  // namespace ferry::test
