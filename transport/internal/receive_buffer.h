// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What has arrived on a byte stream: bytes in, frames out.

#ifndef FERRY_TRANSPORT_INTERNAL_RECEIVE_BUFFER_H_
#define FERRY_TRANSPORT_INTERNAL_RECEIVE_BUFFER_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "ferry/proto/frame.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Frames are handed out where they lie: a payload is never moved once it is complete,
// and of a frame of more than kUsualRead bytes at most the first kUsualRead ever are.
// Thread contract: thread-compatible.
class ReceiveBuffer {
 public:
  ReceiveBuffer() = default;
  ~ReceiveBuffer() { GiveUp(); }
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

  static constexpr size_t kUsualRead = 4096;

  struct Room {
    char* data;
    size_t size;
  };

  // Where the next bytes go. REQUIRES: no frame is unreleased.
  Room PrepareRead();
  // `bytes` of that room have been filled in.
  void Received(size_t bytes);
  // Takes back the last byte received. REQUIRES: no frame that ends in it was handed out.
  void DropLastByte() { --end_; }

  enum class Next { kFrame, kEmpty, kBroken };

  // Hands out the next frame if it is complete.
  Next TryNext(Frame& frame) {
    return end_ - begin_ < kFrameHeaderSize ? Next::kEmpty : TryDecode(frame);
  }
  void Release();

  // Why TryNext answered kBroken: DATA_LOSS with what is wrong and the bytes that are.
  absl::Status WhatIsBroken() const;

  // The beginning of a frame that has not arrived as a whole.
  std::string_view unfinished() const { return {data_ + begin_, end_ - begin_}; }

 private:
  Next TryDecode(Frame& frame);
  void Reallocate(size_t capacity);

  void GiveUp();

  char* data_ = nullptr;  // LargeMemory if there are more than kUsualRead
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t frame_size_ = 0;  // of the frame handed out, with its header
  size_t offered_ = 0;     // by the last PrepareRead
  bool filled_ = false;    // all of it was used
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_RECEIVE_BUFFER_H_
