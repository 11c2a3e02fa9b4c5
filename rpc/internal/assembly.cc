// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/assembly.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferry::internal {

Assembly& Assembly::operator=(Assembly&& other) noexcept {
  data_ = std::move(other.data_);
  capacity_ = std::exchange(other.capacity_, 0);
  size_ = std::exchange(other.size_, 0);
  total_ = std::exchange(other.total_, 0);
  complete_ = std::exchange(other.complete_, false);
  dropped_ = std::exchange(other.dropped_, false);
  return *this;
}

Assembly Assembly::Copy(const char* data, size_t size) {
  Assembly message;
  message.complete_ = true;
  if (size == 0) return message;
  if (!message.Grow(size)) {
    message.Drop();
    return message;
  }
  std::memcpy(message.data_.get(), data, size);
  message.size_ = size;
  return message;
}

absl::Status Assembly::Add(const Frame& frame, size_t limit) {
  const FrameHeader& header = frame.header;
  complete_ = (header.flags & kFlagMore) == 0;
  if (header.type == FrameType::kContinue && !dropped_) {
    absl::Status checked = CheckTotal(header, limit);
    if (!checked.ok()) return checked;
  }
  if (dropped_) return absl::OkStatus();
  if (header.length == 0) return absl::OkStatus();
  if (!Grow(size_ + header.length)) {
    Drop();
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for a message of ", total_, " bytes"));
  }
  std::memcpy(data_.get() + size_, frame.payload, header.length);
  size_ += header.length;
  return absl::OkStatus();
}

absl::Status Assembly::CheckTotal(const FrameHeader& header, size_t limit) {
  size_t total = size_ + header.arg;
  if (total_ != 0 && total != total_) {
    return absl::DataLossError(absl::StrCat("broken frame: continue of a message of ", total_,
                                            " bytes says that it has ", total));
  }
  total_ = total;
  if (total <= limit) return absl::OkStatus();
  Drop();
  return absl::ResourceExhaustedError(
      absl::StrCat("message of ", total, " bytes, at most ", limit, " are accepted"));
}

void Assembly::Drop() {
  data_.reset();
  capacity_ = size_ = 0;
  dropped_ = true;
}

bool Assembly::Grow(size_t needed) {
  if (needed <= capacity_) return true;
  size_t wanted = std::max(needed, std::min(total_, 2 * capacity_));
  auto* grown = static_cast<char*>(std::realloc(data_.get(), wanted));
  if (grown == nullptr) return false;
  (void)data_.release();  // realloc has freed or kept it
  data_.reset(grown);
  capacity_ = wanted;
  return true;
}

}  // namespace ferry::internal
