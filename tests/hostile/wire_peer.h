// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A RawPeer that knows what a server and a channel say to each other.

#ifndef FERRY_TESTS_HOSTILE_WIRE_PEER_H_
#define FERRY_TESTS_HOSTILE_WIRE_PEER_H_

#include <memory>
#include <string>

#include "ferry/proto/frame.h"
#include "ferry/proto/wire.pb.h"
#include "tests/hostile/raw_peer.h"

namespace ferry::test {

inline FrameHeader HeaderOf(FrameType type) {
  FrameHeader header;
  header.type = type;
  return header;
}

inline FrameHeader RequestOf(uint64_t method, uint32_t index) {
  FrameHeader header = HeaderOf(FrameType::kRequest);
  header.flags = kFlagEnd;
  header.call = CallId::Make(0, index % kMaxCalls, 1);
  header.method = method;
  return header;
}

inline void PutHello(RawPeer& peer) {
  wire::Hello hello;
  hello.set_min_version(1);
  hello.set_max_version(1);
  hello.set_max_frame(kMaxFrame);
  FrameHeader header = HeaderOf(FrameType::kHello);
  header.method = kHelloMagic;
  peer.Put(header, hello.SerializeAsString());
}

// As Put, once there is room; rings the bell. False if there is none within 5 s.
inline bool PutInTurn(RawPeer& peer, const FrameHeader& header, const std::string& payload,
                      uint32_t length_bits = 0) {
  for (absl::Time end = absl::Now() + absl::Seconds(5); !peer.HasRoom(payload.size());) {
    peer.SendBytes("", 1);
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Microseconds(20));
  }
  peer.Put(header, payload, length_bits);
  peer.SendBytes("", 1);
  return true;
}

}  // namespace ferry::test

#endif  // FERRY_TESTS_HOSTILE_WIRE_PEER_H_
