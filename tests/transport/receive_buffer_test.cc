// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/receive_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace ferry::internal {
namespace {

std::string FrameOf(uint32_t call, size_t size) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.call.value = call;
  header.method = 1;
  header.length = static_cast<uint32_t>(size);
  std::string bytes(kFrameHeaderSize, 0);
  EncodeFrameHeader(header, bytes.data());
  return bytes + std::string(size, static_cast<char>('a' + call % 26));
}

// Feeds `stream` as far as each read takes it, at most `step` bytes, and answers the
// sizes of the frames that come out.
std::vector<size_t> Feed(ReceiveBuffer& buffer, const std::string& stream, size_t step) {
  std::vector<size_t> sizes;
  for (size_t at = 0; at < stream.size();) {
    ReceiveBuffer::Room room = buffer.PrepareRead();
    size_t taken = std::min({room.size, step, stream.size() - at});
    std::memcpy(room.data, stream.data() + at, taken);
    buffer.Received(taken);
    at += taken;
    Frame frame;
    ReceiveBuffer::Next next;
    while ((next = buffer.TryNext(frame)) == ReceiveBuffer::Next::kFrame) {
      std::string payload(frame.payload, frame.header.length);
      char fill = static_cast<char>('a' + frame.header.call.value % 26);
      EXPECT_EQ(payload, std::string(payload.size(), fill));
      sizes.push_back(payload.size());
      buffer.Release();
    }
    EXPECT_EQ(next, ReceiveBuffer::Next::kEmpty);
  }
  return sizes;
}

TEST(ReceiveBufferTest, FramesComeOutHoweverTheBytesArrive) {
  std::string stream;
  std::vector<size_t> sizes;
  for (uint32_t i = 0; i < 200; ++i) {
    size_t size = i % 17 == 0 ? 65536 - i : i * 11;
    stream += FrameOf(i, size);
    sizes.push_back(size);
  }
  for (size_t step : {size_t{1}, size_t{23}, size_t{24}, size_t{25}, size_t{4096}, size_t{70000}}) {
    ReceiveBuffer buffer;
    EXPECT_EQ(Feed(buffer, stream, step), sizes) << step;
    EXPECT_TRUE(buffer.unfinished().empty());
  }
}

TEST(ReceiveBufferTest, ReadsJustTheRestOfALargeFrameAndTheNextHeader) {
  ReceiveBuffer buffer;
  std::string frame = FrameOf(1, 60000);
  ReceiveBuffer::Room room = buffer.PrepareRead();
  EXPECT_EQ(room.size, ReceiveBuffer::kUsualRead);
  std::memcpy(room.data, frame.data(), room.size);
  buffer.Received(room.size);
  Frame out;
  EXPECT_EQ(buffer.TryNext(out), ReceiveBuffer::Next::kEmpty);
  EXPECT_EQ(buffer.PrepareRead().size, frame.size() - ReceiveBuffer::kUsualRead + kFrameHeaderSize);
}

TEST(ReceiveBufferTest, GrowsInAFloodAndShrinksAfterIt) {
  ReceiveBuffer buffer;
  std::string flood;
  for (uint32_t i = 0; i < 1000; ++i) flood += FrameOf(i, 100);
  size_t at = 0, largest = 0;
  while (at < flood.size()) {
    ReceiveBuffer::Room room = buffer.PrepareRead();
    size_t size = std::min(room.size, flood.size() - at);
    std::memcpy(room.data, flood.data() + at, size);
    buffer.Received(size);
    at += size;
    largest = std::max(largest, room.size);
    for (Frame frame; buffer.TryNext(frame) == ReceiveBuffer::Next::kFrame;) buffer.Release();
  }
  EXPECT_GT(largest, size_t{60000});
  EXPECT_EQ(buffer.PrepareRead().size, ReceiveBuffer::kUsualRead);
}

TEST(ReceiveBufferTest, BrokenBytesAreShown) {
  ReceiveBuffer buffer;
  std::string text = "Usage: worker [OPTION]... FILE\n";
  ReceiveBuffer::Room room = buffer.PrepareRead();
  std::memcpy(room.data, text.data(), text.size());
  buffer.Received(text.size());
  Frame frame;
  EXPECT_EQ(buffer.TryNext(frame), ReceiveBuffer::Next::kBroken);
  absl::Status error = buffer.WhatIsBroken();
  EXPECT_EQ(error.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(
      error.message(),
      "broken frame: unknown type 0x65 (the bytes are \"Usage: worker [OPTION]... FILE\\n\")");
}

}  // namespace
}  // namespace ferry::internal
