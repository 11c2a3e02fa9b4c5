// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/send_queue.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace ferry::internal {
namespace {

class SendQueueTest : public testing::Test {
 protected:
  void Add(uint32_t call, size_t size) {
    FrameHeader header;
    header.type = FrameType::kRequest;
    header.call.value = call;
    header.method = 1;
    Block* block = pool_.Take(header, size);
    std::memset(block->payload(), 'a' + static_cast<char>(call), size);
    queue_.Commit(block);
  }

  // Takes all there is, `step` bytes at a time, and answers the frames as
  // "call:length" with + for more and > for a continuation.
  std::vector<std::string> Drain(size_t step) {
    std::string bytes;
    while (!queue_.empty()) {
      struct iovec pieces[SendQueue::kMaxPieces];
      int count = queue_.Gather(pieces);
      size_t taken = 0;
      for (int i = 0; i < count && taken < step; ++i) {
        size_t size = std::min(pieces[i].iov_len, step - taken);
        bytes.append(static_cast<char*>(pieces[i].iov_base), size);
        taken += size;
      }
      queue_.Consume(taken);
    }
    return Describe(bytes);
  }

  static std::vector<std::string> Describe(const std::string& bytes) {
    std::vector<std::string> frames;
    for (size_t at = 0; at < bytes.size();) {
      FrameHeader header = DecodeFrameHeader(bytes.data() + at);
      at += kFrameHeaderSize;
      EXPECT_TRUE(ValidateFrameHeader(header, kMaxFrame).ok());
      std::string payload = bytes.substr(at, header.length);
      EXPECT_EQ(payload, std::string(header.length, static_cast<char>('a' + header.call.value)));
      at += header.length;
      frames.push_back((header.type == FrameType::kContinue ? ">" : "") +
                       std::to_string(header.call.value) + ":" + std::to_string(header.length) +
                       ((header.flags & kFlagMore) != 0 ? "+" : ""));
    }
    return frames;
  }

  BlockPool pool_;
  SendQueue queue_{pool_};
};

using Frames = std::vector<std::string>;

TEST_F(SendQueueTest, QueuedFramesGoTogether) {
  for (uint32_t i = 0; i < 5; ++i) Add(i, i);
  struct iovec pieces[SendQueue::kMaxPieces];
  EXPECT_EQ(queue_.Gather(pieces), 5);
  EXPECT_EQ(Drain(1 << 20), (Frames{"0:0", "1:1", "2:2", "3:3", "4:4"}));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SendQueueTest, MoreThanOneGatherHoldsKeepsItsOrder) {
  Frames expected;
  for (uint32_t i = 0; i < 100; ++i) {
    Add(i % 20, i);
    expected.push_back(std::to_string(i % 20) + ":" + std::to_string(i));
  }
  EXPECT_EQ(Drain(1 << 20), expected);
}

TEST_F(SendQueueTest, PartialWritesContinueWhereTheyStopped) {
  Add(1, 10);
  Add(2, 70000);
  Add(3, 20);
  EXPECT_EQ(Drain(7), (Frames{"1:10", "3:20", "2:65536+", ">2:4464"}));
}

TEST_F(SendQueueTest, SmallMessagesOvertakeALargeOne) {
  Add(1, 3 * kMaxFrame);
  struct iovec pieces[SendQueue::kMaxPieces];
  ASSERT_EQ(queue_.Gather(pieces), 1);
  std::string first(static_cast<char*>(pieces[0].iov_base), pieces[0].iov_len);
  queue_.Consume(first.size());
  Add(2, 5);
  EXPECT_EQ(Describe(first), (Frames{"1:65536+"}));
  EXPECT_EQ(Drain(1 << 20), (Frames{"2:5", ">1:65536+", ">1:65536"}));
}

TEST_F(SendQueueTest, LargeMessagesTakeTurns) {
  Add(1, 2 * kMaxFrame);
  Add(2, 2 * kMaxFrame);
  EXPECT_EQ(Drain(1 << 20), (Frames{"1:65536+", "2:65536+", ">1:65536", ">2:65536"}));
}

TEST_F(SendQueueTest, MessagesOfOneCallStayBehindItsLargeOne) {
  Add(1, kMaxFrame + 1);
  Add(1, 5);
  Add(2, 6);
  Add(1, kMaxFrame + 2);
  Add(1, 7);
  EXPECT_EQ(Drain(1 << 20), (Frames{"2:6", "1:65536+", ">1:1", "1:5", "1:65536+", ">1:2", "1:7"}));
}

TEST_F(SendQueueTest, ALargeMessageDoesNotOvertakeWhatWasCommittedBefore) {
  for (uint32_t i = 0; i < 40; ++i) Add(3, 1);
  Add(3, kMaxFrame + 1);
  Frames frames = Drain(1 << 20);
  ASSERT_EQ(frames.size(), 42u);
  EXPECT_EQ(frames[39], "3:1");
  EXPECT_EQ(frames[40], "3:65536+");
}

TEST_F(SendQueueTest, LargeBlocksAreReusedByAllAndSmallOnesByTheirPool) {
  FrameHeader header;
  Block* large = pool_.Take(header, 1 << 20);
  pool_.Give(large);
  BlockPool other_pool;
  Block* again = other_pool.Take(header, 1000000);
  EXPECT_EQ(again, large);
  other_pool.Give(again);

  Block* small = pool_.Take(header, 10);
  pool_.Give(small);
  EXPECT_EQ(pool_.Take(header, 1000), small);
  pool_.Give(small);
}

TEST_F(SendQueueTest, AMessageTakesNoMoreMemoryThanItNeeds) {
  FrameHeader header;
  for (size_t size : {size_t{1001}, size_t{5000}, size_t{16000}}) {
    Block* block = pool_.Take(header, size);
    EXPECT_EQ(block->capacity, size);
    pool_.Give(block);
  }
}

TEST_F(SendQueueTest, ClearingFreesEverythingInAnyState) {
  Add(1, 3 * kMaxFrame);
  Add(1, 5);
  Add(2, 3 * kMaxFrame);
  Add(3, 10);
  struct iovec pieces[SendQueue::kMaxPieces];
  queue_.Gather(pieces);
  queue_.Consume(20);
  queue_.Clear();
  EXPECT_TRUE(queue_.empty());
  Add(4, 1);
  EXPECT_EQ(Drain(100), (Frames{"4:1"}));
}

}  // namespace
}  // namespace ferry::internal
