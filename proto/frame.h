// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The frame header: the 24 bytes in front of every payload on a byte stream.
// Plain values in, bytes out, no I/O. docs/protocol.md says who may send what
// when; tests/proto/frame_test.cc spells out the bytes.
//
//   byte 0        4    5    6     8          12             20         24
//        | length | ty | fl | aux |   call   |    method     |   arg    | payload
//        |  u32   | u8 | u8 | u16 |   u32    |     u64       |   u32    | length bytes
//
// All integers are little endian. `length` counts the payload only. A slot in shared
// memory has the same 24 bytes.

#ifndef FERRY_PROTO_FRAME_H_
#define FERRY_PROTO_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace ferry {

// Bytes of an encoded header.
inline constexpr size_t kFrameHeaderSize = 24;

// The largest payload of one frame unless the peer's hello allows more. A longer
// message travels as its first frame and kContinue frames.
inline constexpr size_t kMaxFrame = 64 * 1024;

// In the method field of a hello. The bytes after "FERRY" are changed by anything
// that treats the stream as text.
inline constexpr uint64_t kHelloMagic = 0x1a0a0d5952524546;  // "FERRY\r\n\x1a"

enum class FrameType : uint8_t {
  kHello = 0x01,     // the first frame of each side; payload: ferry.wire.Hello
  kRequest = 0x02,   // opens a call; payload: the (first) request message
  kContinue = 0x03,  // the next fragment of the call's unfinished message
  kMessage = 0x04,   // a further message of a stream, either direction
  kReply = 0x05,     // the callee's end of the call; payload: reply or ferry.wire.Status
  kMetadata = 0x06,  // payload: ferry.wire.Metadata
  kCancel = 0x07,    // the caller wants no answer; the reply still comes
  kCredit = 0x08,    // gives the peer `arg` more bytes
  kPing = 0x09,      // answered by the same frame with kFlagAck
  kGoAway = 0x0a,    // no new calls, please; payload: ferry.wire.Status
};

// Types from here on are skipped by those who do not know them.
inline constexpr uint8_t kFirstSkippableType = 0x80;

// Flags. Which type may carry which: docs/protocol.md, section Flags.
inline constexpr uint8_t kFlagMore = 0x01;      // the message continues in kContinue frames
inline constexpr uint8_t kFlagEnd = 0x02;       // the caller sends no further message
inline constexpr uint8_t kFlagEmpty = 0x04;     // there is no message in this frame
inline constexpr uint8_t kFlagOneWay = 0x08;    // the caller does not wait for the outcome
inline constexpr uint8_t kFlagTrailing = 0x10;  // metadata that belongs to the reply
inline constexpr uint8_t kFlagAck = 0x20;       // the answer to a ping

// Names one call on one connection. Bit 0 says which side opened it (0: the one
// that connected), bits 1 to 16 are an index into the opener's table and the rest
// is a generation, so that a late frame cannot meet the index's next user.
struct CallId {
  uint32_t value = 0;

  static constexpr CallId Make(uint32_t opener, uint32_t index, uint32_t generation) {
    return {opener | index << 1 | generation << 17};
  }
  constexpr uint32_t opener() const { return value & 1; }
  constexpr uint32_t index() const { return value >> 1 & 0xffff; }
  constexpr uint32_t generation() const { return value >> 17; }

  friend constexpr bool operator==(CallId a, CallId b) { return a.value == b.value; }
  friend constexpr bool operator!=(CallId a, CallId b) { return a.value != b.value; }
};

// A table holds at most this many calls: a request names its parent's index + 1 in
// the 16 bits of `aux`.
inline constexpr uint32_t kMaxCalls = 0xffff;

// Generations run from 1 to this and start over, so that no id is 0.
inline constexpr uint32_t kMaxGeneration = 0x7fff;

struct FrameHeader {
  uint32_t length = 0;  // payload bytes
  FrameType type{};
  uint8_t flags = 0;
  uint16_t aux = 0;     // reply: status code; request: parent call's index + 1, or 0
  CallId call;          // 0 in frames that belong to the connection
  uint64_t method = 0;  // request: method id; hello: kHelloMagic; ping: echoed
  uint32_t arg = 0;     // request: deadline in us, 0 = none; continue: bytes of the
                        // message from this fragment on; reply and credit: bytes given
};

// Writes the header's kFrameHeaderSize bytes.
void EncodeFrameHeader(const FrameHeader& header, char* out);

// Reads kFrameHeaderSize bytes. Any bytes decode; ValidateFrameHeader judges them.
FrameHeader DecodeFrameHeader(const char* bytes);

// Whether a peer may send this header at all, apart from the state of its call.
// `max_frame` is the largest payload we accept.
// Returns: DATA_LOSS, naming the field, its value and what was expected.
absl::Status ValidateFrameHeader(const FrameHeader& header, size_t max_frame);

// The header of the fragment that follows: `remaining` bytes of the message are
// still to be sent, of which this fragment takes at most `max_frame`.
// REQUIRES: 0 < remaining < 2^32.
FrameHeader ContinueHeader(CallId call, size_t remaining, size_t max_frame);

// "request", "reply", … or "frame of unknown type".
std::string_view FrameTypeName(FrameType type);

// The method id on the wire: FNV-1a, 64 bits, of "package.Service/Method"
// (http://www.isthe.com/chongo/tech/comp/fnv/).
constexpr uint64_t MethodId(std::string_view full_name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : full_name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace ferry

#endif  // FERRY_PROTO_FRAME_H_
