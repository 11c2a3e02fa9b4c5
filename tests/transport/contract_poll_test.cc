// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A reader that looks again and again rather than sleep.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/transport/contract.h"

namespace ferry::test {
namespace {

class ContractPoll : public TransportContract {
 protected:
  // What b_ received, looking for it without a sleep; "(closed)" at the end.
  std::string PollForNext() {
    Frame frame;
    ReadResult result;
    while ((result = b_->TryRead(frame)) == ReadResult::kEmpty) {
      while (!b_->Poll()) std::this_thread::yield();
    }
    if (result == ReadResult::kClosed) return "(closed)";
    std::string received(frame.payload, frame.header.length);
    b_->Release();
    return received;
  }
};

TEST_P(ContractPoll, FindsNothingAndDoesNotSleep) {
  Frame frame;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(b_->Poll());
    EXPECT_EQ(b_->TryRead(frame), ReadResult::kEmpty);
  }
}

TEST_P(ContractPoll, FindsEachFrame) {
  std::atomic<bool> received_all{false};
  std::thread sender([&] {
    for (uint32_t i = 0; i < 1000; ++i) Send(*a_, 2 * i, std::to_string(i));
    while (!received_all) a_->Poll();  // sends what found no room
  });
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(PollForNext(), std::to_string(i));
  received_all = true;
  sender.join();
}

TEST_P(ContractPoll, FindsWhatWasClosedHere) {
  b_->Close(absl::CancelledError("enough"));
  EXPECT_TRUE(b_->Poll());
  EXPECT_EQ(PollForNext(), "(closed)");
  EXPECT_TRUE(b_->Poll());
}

TEST_P(ContractPoll, LeavesTheEndToWaitOrFindsIt) {
  Send(*a_, 2, "the last");
  EXPECT_EQ(PollForNext(), "the last");
  a_.reset();
  Frame frame;
  while (b_->TryRead(frame) == ReadResult::kEmpty) {
    bool found = b_->Poll();
    if (!found) b_->Wait({});
    // What Poll has found is there, so that who believes it does not go in circles.
    EXPECT_TRUE(!found || b_->TryRead(frame) != ReadResult::kEmpty);
  }
  EXPECT_EQ(b_->TryRead(frame), ReadResult::kClosed);
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_P(ContractPoll, SendsOnWhatFlushLeft) {
  const std::string large(5000000, 'x');
  Send(*a_, 2, large);
  std::atomic<bool> received{false};
  std::thread reader([&] {
    Frames frames(*b_);
    EXPECT_EQ(frames.Next().size(), large.size());
    received = true;
  });
  while (!received) {
    a_->Poll();
    std::this_thread::yield();
  }
  reader.join();
}

TEST_P(ContractPoll, IsNotMisledByAnInterruption) {
  b_->Interrupt();
  EXPECT_FALSE(b_->Poll());
  b_->Wait({});  // it is the one that is interrupted
}

INSTANTIATE_CONTRACT(ContractPoll);

}  // namespace
}  // namespace ferry::test
