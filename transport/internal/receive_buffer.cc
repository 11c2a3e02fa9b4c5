// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/receive_buffer.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ferry::internal {
namespace {

constexpr size_t kMaxCapacity = kMaxFrame + 2 * kFrameHeaderSize;

// So many small reads after a large one, the buffer shrinks again.
constexpr int kKeepLargeFor = 64;

// How much of a broken stream an error text shows.
constexpr size_t kShownBytes = 32;

// Most headers: surely valid, and quickly told.
bool IsUsual(const FrameHeader& header) {
  if (header.length > kMaxFrame) return false;
  if (header.type == FrameType::kRequest) return header.flags == kFlagEnd;
  return header.type == FrameType::kReply && header.flags == 0 && header.aux == 0 &&
         header.method == 0;
}

}  // namespace

ReceiveBuffer::Room ReceiveBuffer::PrepareRead() {
  size_t have = end_ - begin_;
  size_t need = kFrameHeaderSize;
  if (have >= kFrameHeaderSize) {
    size_t length = DecodeFrameHeader(data_.get() + begin_).length;
    need += std::min(length, kMaxFrame);  // TryNext will refuse a longer one
  }

  // Of a large frame, exactly the rest is read, and the header behind it: then only
  // headers are ever moved to the front.
  bool large = need > kUsualRead;
  size_t wanted = large ? need + kFrameHeaderSize : kUsualRead;
  if (filled_ && !large) wanted = kMaxCapacity;
  small_reads_ = wanted > kUsualRead ? 0 : small_reads_ + 1;
  if (capacity_ < wanted || (capacity_ > kUsualRead && small_reads_ >= kKeepLargeFor)) {
    Reallocate(std::max(wanted, have));
  } else if (begin_ != 0) {
    std::memmove(data_.get(), data_.get() + begin_, have);
  }
  begin_ = 0;
  end_ = have;
  size_t limit = large ? wanted : capacity_;
  offered_ = limit > have ? limit - have : 0;
  return {data_.get() + have, offered_};
}

void ReceiveBuffer::Reallocate(size_t capacity) {
  std::unique_ptr<char[]> fresh(new char[capacity]);
  if (end_ != begin_) std::memcpy(fresh.get(), data_.get() + begin_, end_ - begin_);
  data_ = std::move(fresh);
  capacity_ = capacity;
}

void ReceiveBuffer::Received(size_t bytes) {
  end_ += bytes;
  filled_ = bytes == offered_;
}

ReceiveBuffer::Next ReceiveBuffer::TryDecode(Frame& frame) {
  const char* bytes = data_.get() + begin_;
  frame.header = DecodeFrameHeader(bytes);
  if (!IsUsual(frame.header) && !ValidateFrameHeader(frame.header, kMaxFrame).ok()) {
    return Next::kBroken;
  }
  frame_size_ = kFrameHeaderSize + frame.header.length;
  if (end_ - begin_ < frame_size_) return Next::kEmpty;
  frame.payload = bytes + kFrameHeaderSize;
  return Next::kFrame;
}

absl::Status ReceiveBuffer::WhatIsBroken() const {
  const char* bytes = data_.get() + begin_;
  return absl::DataLossError(absl::StrCat(
      ValidateFrameHeader(DecodeFrameHeader(bytes), kMaxFrame).message(), " (the bytes are \"",
      absl::CHexEscape({bytes, std::min(end_ - begin_, kShownBytes)}), "\")"));
}

void ReceiveBuffer::Release() {
  begin_ += frame_size_;
  if (begin_ == end_) begin_ = end_ = 0;
}

}  // namespace ferry::internal
