// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_RING_SOCKET_H_
#define FERRY_TRANSPORT_INTERNAL_RING_SOCKET_H_

#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/ring_layout.h"

namespace ferry::internal {

// The socket beside the rings. Each side begins with a greeting, which says how large its
// region is and carries it; then it is a doorbell: a byte 0 wakes who sleeps. And its end
// is the end of the connection, also of a peer that was killed between any two
// instructions.
//
// Thread contract: Ring and Shutdown on any thread, the rest on one at a time.
class RingSocket {
 public:
  // A greeting: kMagic u64, kVersion u32, slots u32, ring u32, reserved u32; little endian.
  static constexpr size_t kGreetingSize = 24;
  static constexpr uint64_t kMagic = 0x314d485359524546;  // "FERYSHM1"
  static constexpr uint32_t kVersion = 1;

  // In the place of a greeting: no slots, the status code as the ring, and behind it the text.
  // It carries no memory.
  static void Refuse(const UniqueFd& socket, const absl::Status& why);

  explicit RingSocket(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }

  // Tells the peer of our region. Its descriptor stays open until the peer's comes, which
  // takes its place: this process may have no other left by then. Returns: RESOURCE_EXHAUSTED;
  // UNAVAILABLE when it is gone; else what errno says.
  absl::Status Greet(const RingGeometry& ours, UniqueFd memory);

  // Wakes the peer, if it sleeps.
  void Ring() const;

  // The end, for both sides; wakes who sleeps in Take.
  void Shutdown() const;

  enum class Taken {
    kNothing,
    kRings,
    kGreeting,  // peer_geometry and TakePeerMemory are there
    kEnd,
    kBroken,  // see what_is_broken
  };
  enum class Mode { kNow, kMaySleep };

  // One bounded look at what has come. kMaySleep is for who has been greeted.
  Taken Take(Mode mode);

  bool greeted() const { return have_ == kGreetingSize; }
  const RingGeometry& peer_geometry() const { return peer_geometry_; }
  UniqueFd TakePeerMemory() { return std::move(peer_memory_); }
  const absl::Status& what_is_broken() const { return broken_; }

 private:
  Taken TakeGreeting();
  Taken ReadGreeting();
  Taken ReadRefusal(int code);
  Taken Break(absl::Status why);

  UniqueFd socket_;

  // Owned by who takes.
  char greeting_[kGreetingSize];
  size_t have_ = 0;  // of it
  RingGeometry peer_geometry_;
  UniqueFd place_;  // of peer_memory_
  UniqueFd peer_memory_;
  absl::Status broken_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_RING_SOCKET_H_
