// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/receive_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/large_memory.h"
#include "ferry/transport/internal/usual_frame.h"

namespace ferry::internal {
namespace {

constexpr size_t kMaxCapacity = kMaxFrame + 2 * kFrameHeaderSize;

// How much of a broken stream an error text shows.
constexpr size_t kShownBytes = 32;

}  // namespace

ReceiveBuffer::Room ReceiveBuffer::PrepareRead() {
  size_t have = end_ - begin_;
  size_t need = kFrameHeaderSize;
  if (have >= kFrameHeaderSize) {
    size_t length = DecodeFrameHeader(data_ + begin_).length;
    need += std::min(length, kMaxFrame);  // TryNext will refuse a longer one
  }

  // Of a large frame, exactly the rest is read, and the header behind it: then only
  // headers are ever moved to the front.
  bool large = need > kUsualRead;
  size_t wanted = large ? need + kFrameHeaderSize : kUsualRead;
  if (filled_ && !large) wanted = kMaxCapacity;
  if (capacity_ < wanted) {
    Reallocate(wanted);
  } else if (begin_ != 0) {
    std::memmove(data_, data_ + begin_, have);
  }
  begin_ = 0;
  end_ = have;
  size_t limit = large ? wanted : std::min(capacity_, kMaxCapacity);
  offered_ = limit > have ? limit - have : 0;
  return {data_ + have, offered_};
}

void ReceiveBuffer::Reallocate(size_t capacity) {
  LargeMemory fresh = capacity > kUsualRead ? TakeLargeMemory(capacity)
                                            : LargeMemory{::operator new(kUsualRead), kUsualRead};
  if (end_ != begin_) std::memcpy(fresh.begin, data_ + begin_, end_ - begin_);
  GiveUp();
  data_ = static_cast<char*>(fresh.begin);
  capacity_ = fresh.size;
}

void ReceiveBuffer::GiveUp() {
  if (capacity_ > kUsualRead) {
    GiveLargeMemory({data_, capacity_});
  } else {
    ::operator delete(data_);
  }
  data_ = nullptr;
  capacity_ = 0;
}

void ReceiveBuffer::Received(size_t bytes) {
  end_ += bytes;
  filled_ = bytes == offered_;
}

ReceiveBuffer::Next ReceiveBuffer::TryDecode(Frame& frame) {
  const char* bytes = data_ + begin_;
  frame.header = DecodeFrameHeader(bytes);
  if (!IsUsualFrame(frame.header, kMaxFrame) &&
      !ValidateFrameHeader(frame.header, kMaxFrame).ok()) {
    return Next::kBroken;
  }
  frame_size_ = kFrameHeaderSize + frame.header.length;
  if (end_ - begin_ < frame_size_) return Next::kEmpty;
  frame.payload = bytes + kFrameHeaderSize;
  return Next::kFrame;
}

absl::Status ReceiveBuffer::WhatIsBroken() const {
  const char* bytes = data_ + begin_;
  return absl::DataLossError(absl::StrCat(
      ValidateFrameHeader(DecodeFrameHeader(bytes), kMaxFrame).message(), " (the bytes are \"",
      absl::CHexEscape({bytes, std::min(end_ - begin_, kShownBytes)}), "\")"));
}

void ReceiveBuffer::Release() {
  begin_ += frame_size_;
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  if (capacity_ > kUsualRead) GiveUp();
}

}  // namespace ferry::internal
