// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A peer over shared memory that has nothing of ferry's but the layout: it writes whatever
// it likes, wherever it likes, whenever it likes.

#ifndef FERRY_TESTS_HOSTILE_RAW_PEER_H_
#define FERRY_TESTS_HOSTILE_RAW_PEER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/ring_layout.h"
#include "ferry/transport/shm_options.h"
#include "ferry/transport/transport.h"

namespace ferry::test {

// What a greeting says. The default is an honest one.
struct RawGreeting {
  uint64_t magic = 0x314d485359524546;
  uint32_t version = 1;
  uint32_t slots = 0;
  uint32_t ring = 0;
  uint32_t reserved = 0;
};
static_assert(sizeof(RawGreeting) == 24);

// F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL
inline constexpr int kAllSeals = 0x2 | 0x4 | 0x10 | 0x1;
inline constexpr size_t kSmallRing = 16 << 10;

// Memory as a peer hands it out, mapped for writing; all zeros. Thread contract:
// thread-compatible.
class RawMemory {
 public:
  explicit RawMemory(size_t size, int seals = kAllSeals);
  ~RawMemory();
  RawMemory(const RawMemory&) = delete;
  RawMemory& operator=(const RawMemory&) = delete;

  int fd() const { return fd_.get(); }
  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  internal::UniqueFd fd_;
  const size_t size_;
  char* data_;
};

// Thread contract: thread-compatible.
class RawPeer {
 public:
  // Takes over a connected socket.
  explicit RawPeer(int socket, size_t ring = kSmallRing);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  int socket() const { return socket_.get(); }
  void Hang() { socket_ = {}; }  // up
  const internal::RingGeometry& geometry() const { return geometry_; }
  const RawMemory& memory() const { return memory_; }

  RawGreeting honest() const;
  // Neither of them sleeps; what the socket does not take is lost.
  ssize_t SendBytes(const void* data, size_t size, const std::vector<int>& fds = {}) const;
  void Greet(const RawGreeting& greeting, const std::vector<int>& fds) const;
  void Greet() const { Greet(honest(), {memory_.fd()}); }
  // The other end's, which it sends at once. False if there is none.
  bool TakeGreeting();
  // Whether the other end closes the socket before `timeout`; drops its bytes.
  bool SeesTheEnd(absl::Duration timeout) const;

  // Our region, of which slots are counted on and on.
  internal::RingControl& control() const;
  internal::RingSlot& slot(uint32_t index) const;
  char* ring() const { return memory_.data() + geometry_.ring_at(); }
  uint32_t next() const { return position_.slot; }

  // Writes a frame as an honest writer would, but for whether there is room, and commits
  // it. `length_bits` are added to the length.
  void Put(const FrameHeader& header, std::string_view payload, uint32_t length_bits = 0);
  // Whether the reader has left a slot, and whether an honest writer would have room.
  bool HasSlot() const;
  bool HasRoom(size_t payload) const;

  // The other end's region; REQUIRES: its greeting has been taken.
  const internal::RingControl& theirs() const;
  const internal::RingGeometry& their_geometry() const { return their_geometry_; }
  // The next frame in there, and `released` told as an honest reader would.
  bool TakeFrame(FrameHeader& header, std::string& payload);

 private:
  internal::UniqueFd socket_;
  const internal::RingGeometry geometry_;
  RawMemory memory_;
  internal::RingPosition position_;  // of the next frame we write
  const char* their_region_ = nullptr;
  internal::RingGeometry their_geometry_;
  internal::RingPosition read_;  // of theirs
};

// A ShmTransport, and who attacks it.
struct Duel {
  std::unique_ptr<Transport> victim;
  std::unique_ptr<RawPeer> attacker;
};
Duel MakeDuel(const ShmOptions& options = {kSmallRing}, size_t ring = kSmallRing);

// Connects to a socket at a path; -1 if that cannot be.
int ConnectRaw(const std::string& path);

}  // namespace ferry::test

#endif  // FERRY_TESTS_HOSTILE_RAW_PEER_H_
