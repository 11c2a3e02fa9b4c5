// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A valid header of each frame type, for the tests of the frame header.

#ifndef FERRY_TESTS_PROTO_FRAME_SAMPLES_H_
#define FERRY_TESTS_PROTO_FRAME_SAMPLES_H_

#include <array>
#include <cstdint>

#include "ferry/proto/frame.h"

namespace ferry::samples {

using Bytes = std::array<uint8_t, kFrameHeaderSize>;

inline Bytes Encoded(const FrameHeader& header) {
  Bytes bytes;
  EncodeFrameHeader(header, reinterpret_cast<char*>(bytes.data()));
  return bytes;
}

inline FrameHeader Decoded(const Bytes& bytes) {
  return DecodeFrameHeader(reinterpret_cast<const char*>(bytes.data()));
}

// How a test writes a header down.
struct HeaderText {
  FrameType type{};
  uint32_t length = 0;
  uint8_t flags = 0;
  uint16_t aux = 0;
  uint32_t call = 0;
  uint64_t method = 0;
  uint32_t arg = 0;
};

inline FrameHeader Header(const HeaderText& text) {
  FrameHeader header;
  header.length = text.length;
  header.type = text.type;
  header.flags = text.flags;
  header.aux = text.aux;
  header.call = {text.call};
  header.method = text.method;
  header.arg = text.arg;
  return header;
}

inline FrameHeader Hello() { return Header({FrameType::kHello, 21, 0, 0, 0, kHelloMagic, 0}); }
inline FrameHeader Request() {
  return Header(
      {FrameType::kRequest, 7, kFlagEnd, 0x0102, 0x00060009, 0x4fd36fbb998b1f6f, 1'000'000});
}
inline FrameHeader Continue() {
  return Header({FrameType::kContinue, 0x10000, kFlagMore, 0, 0x00060009, 0, 0x149f0});
}
inline FrameHeader Message() {
  return Header({FrameType::kMessage, 0, kFlagEnd | kFlagEmpty, 0, 0x00060009, 0, 0});
}
inline FrameHeader Reply() {
  return Header({FrameType::kReply, 0x1234, kFlagMore, 16, 0xffffffff, 0, 0x01020304});
}
inline FrameHeader Metadata() {
  return Header({FrameType::kMetadata, 33, kFlagTrailing, 0, 0x00060009, 0, 0});
}
inline FrameHeader Cancel() { return Header({FrameType::kCancel, 0, 0, 0, 0x00060009, 0, 0}); }
inline FrameHeader Credit() { return Header({FrameType::kCredit, 0, 0, 0, 0, 0, 0xffffffff}); }
inline FrameHeader Ping() {
  return Header({FrameType::kPing, 0, kFlagAck, 0, 0, 0x1122334455667788, 0});
}
inline FrameHeader GoAway() { return Header({FrameType::kGoAway, 9, 0, 0, 0, 0, 0}); }
inline FrameHeader Unknown() {
  return Header({FrameType{0x80}, 5, 0xff, 0xffff, 0xffffffff, 0xffffffffffffffff, 0xffffffff});
}

}  // namespace ferry::samples

#endif  // FERRY_TESTS_PROTO_FRAME_SAMPLES_H_
