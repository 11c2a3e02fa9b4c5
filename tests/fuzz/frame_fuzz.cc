// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: any bytes as a frame header, and any bytes in any pieces as a stream of
// frames. What ReceiveBuffer hands out is held against the bytes that were put in.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "ferry/proto/frame.h"
#include "ferry/transport/internal/receive_buffer.h"

namespace ferry {
namespace {

using internal::ReceiveBuffer;

void Check(bool holds) {
  if (!holds) abort();
}

std::string Encoded(const FrameHeader& header) {
  std::string bytes(kFrameHeaderSize, '\0');
  EncodeFrameHeader(header, bytes.data());
  return bytes;
}

// What a valid header promises, said without the rules of frame.cc.
void CheckValid(const FrameHeader& header, size_t max_frame) {
  Check(header.length <= max_frame);
  uint8_t type = static_cast<uint8_t>(header.type);
  Check(type != 0);
  if (type >= kFirstSkippableType) return;
  Check(FrameTypeName(header.type) != "frame of unknown type");
  if ((header.flags & kFlagEmpty) != 0) Check(header.length == 0);
  if (header.type == FrameType::kReply) Check(header.aux <= 16);
  if (header.type == FrameType::kHello) Check(header.method == kHelloMagic);
  if (header.type == FrameType::kContinue) {
    Check(header.length != 0 && header.length <= header.arg);
    FrameHeader expected = ContinueHeader(header.call, header.arg, header.length);
    Check(Encoded(expected) == Encoded(header));
  }
}

void FuzzHeader(const char* bytes, size_t max_frame) {
  FrameHeader header = DecodeFrameHeader(bytes);
  Check(Encoded(header) == std::string_view(bytes, kFrameHeaderSize));
  absl::Status status = ValidateFrameHeader(header, max_frame);
  if (status.ok()) {
    CheckValid(header, max_frame);
  } else {
    Check(absl::IsDataLoss(status) && absl::StartsWith(status.message(), "broken frame: "));
  }
}

// Feeds `stream` to a ReceiveBuffer and follows it with a position of its own.
class Receiver {
 public:
  explicit Receiver(std::string_view stream) : stream_(stream) {}

  bool at_end() const { return broken_ || received_ == stream_.size(); }

  // One read of at most `wish` bytes, then all frames that are there.
  void Step(size_t wish) {
    ReceiveBuffer::Room room = buffer_.PrepareRead();
    Check(room.size != 0);  // a read of 0 bytes would look like the end
    std::memset(room.data, 0xa5, room.size);
    size_t bytes = std::min({std::max<size_t>(wish, 1), room.size, stream_.size() - received_});
    std::memcpy(room.data, stream_.data() + received_, bytes);
    buffer_.Received(bytes);
    received_ += bytes;
    while (TakeFrame()) {
    }
    Check(buffer_.unfinished() == Unread());
  }

 private:
  std::string_view Unread() const { return stream_.substr(taken_, received_ - taken_); }

  bool TakeFrame() {
    Frame frame;
    ReceiveBuffer::Next next = buffer_.TryNext(frame);
    std::string_view unread = Unread();
    if (unread.size() < kFrameHeaderSize) {
      Check(next == ReceiveBuffer::Next::kEmpty);
      return false;
    }
    FrameHeader header = DecodeFrameHeader(unread.data());
    if (!ValidateFrameHeader(header, kMaxFrame).ok()) {
      Check(next == ReceiveBuffer::Next::kBroken && absl::IsDataLoss(buffer_.WhatIsBroken()));
      broken_ = true;
      return false;
    }
    std::string_view payload = unread.substr(kFrameHeaderSize);
    if (payload.size() < header.length) {
      Check(next == ReceiveBuffer::Next::kEmpty);
      return false;
    }
    Check(next == ReceiveBuffer::Next::kFrame);
    Check(Encoded(frame.header) == unread.substr(0, kFrameHeaderSize));
    Check(std::memcmp(frame.payload, payload.data(), header.length) == 0);
    CheckValid(frame.header, kMaxFrame);
    taken_ += kFrameHeaderSize + header.length;
    buffer_.Release();
    return true;
  }

  ReceiveBuffer buffer_;
  const std::string_view stream_;
  size_t received_ = 0;
  size_t taken_ = 0;
  bool broken_ = false;
};

size_t Number(std::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]) | static_cast<size_t>(static_cast<uint8_t>(bytes[at + 1]))
                                               << 8;
}

// Valid frames whose sizes are the numbers in `bytes`: a fuzzer by itself seldom gets to
// a frame of more than a few bytes.
std::string FramesOfSizes(std::string_view bytes) {
  constexpr size_t kEnough = 1 << 18;
  std::string stream;
  for (size_t at = 0; at + 2 <= bytes.size() && stream.size() < kEnough; at += 2) {
    FrameHeader header;
    header.type = FrameType::kMessage;
    header.length = static_cast<uint32_t>(Number(bytes, at) + (bytes[at] == 0 ? 1 : 0));
    stream += Encoded(header);
    for (uint32_t i = 0; i < header.length; ++i) stream.push_back(static_cast<char>(i * 31));
  }
  return stream;
}

// The first byte says how many numbers of two bytes follow, the sizes of the pieces, and
// with its highest bit how the rest is meant: as sizes of frames, or as the stream.
void FuzzStream(std::string_view input) {
  uint8_t first = static_cast<uint8_t>(input[0]);
  std::vector<size_t> pieces;
  size_t at = 1;
  for (int count = first & 0x0f; count > 0 && at + 2 <= input.size(); --count, at += 2) {
    pieces.push_back(Number(input, at));
  }
  if (pieces.empty()) pieces.push_back(SIZE_MAX);
  std::string stream =
      (first & 0x80) != 0 ? FramesOfSizes(input.substr(at)) : std::string(input.substr(at));
  Receiver receiver(stream);
  // Tiny pieces of a large stream would only take long.
  size_t least = stream.size() / 2048 + 1;
  for (size_t step = 0; !receiver.at_end(); ++step) {
    receiver.Step(std::max(pieces[step % pieces.size()], least));
  }
}

}  // namespace
}  // namespace ferry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const char* bytes = reinterpret_cast<const char*>(data);
  if (size >= ferry::kFrameHeaderSize) {
    ferry::FuzzHeader(bytes, ferry::kMaxFrame);
    ferry::FuzzHeader(bytes, data[size - 1]);
  }
  if (size != 0) ferry::FuzzStream({bytes, size});
  return 0;
}
