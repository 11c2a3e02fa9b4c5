// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_INBOX_H_
#define FERRY_RPC_INTERNAL_INBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "ferry/rpc/internal/assembly.h"

namespace ferry::internal {

// What a message of a stream costs beside its bytes.
inline constexpr size_t kMessageCost = kFrameHeaderSize;

// What has arrived on a stream and was not read, and the credit for more.
// Thread contract: thread-compatible; its owner's lock guards it.
class Inbox {
 public:
  // `credit`: what the peer was given at first.
  explicit Inbox(uint64_t credit) : window_(static_cast<int64_t>(credit)), left_(window_) {}

  // A message of that size comes; false if there was no credit for it.
  bool Draw(size_t size) {
    if (left_ <= 0) return false;
    left_ -= Cost(size);
    return true;
  }
  // It is kept until it is taken.
  void Put(Assembly message) {
    bytes_ += message.size() + kMessageCost;
    messages_.push_back(std::move(message));
  }

  bool empty() const { return messages_.empty(); }
  size_t bytes() const { return bytes_; }
  Assembly Take() {
    Assembly message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message.size() + kMessageCost;
    WasRead(message.size());
    return message;
  }

  // One that was never kept was read as it came.
  void WasRead(size_t size) { read_ += Cost(size); }

  // What is to be given back now: nothing, until it is worth a frame.
  uint32_t TakeCredit() {
    if (read_ < window_ / 2) return 0;
    left_ += read_;
    return static_cast<uint32_t>(std::exchange(read_, 0));
  }

  // Takes all, and drops it.
  void Clear() {
    read_ += static_cast<int64_t>(std::exchange(bytes_, 0));
    messages_.clear();
  }

 private:
  static int64_t Cost(size_t size) { return static_cast<int64_t>(size + kMessageCost); }

  const int64_t window_;
  int64_t left_;      // below zero after a message that was larger
  int64_t read_ = 0;  // to be given back
  size_t bytes_ = 0;
  std::deque<Assembly> messages_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_INBOX_H_
