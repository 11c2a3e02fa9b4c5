// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_RING_REGION_H_
#define FERRY_TRANSPORT_INTERNAL_RING_REGION_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/ring_layout.h"

namespace ferry::internal {

// The memory of one direction, mapped. It has no name: it is gone with the last process
// that has it, however that ends. Thread contract: thread-compatible.
class RingRegion {
 public:
  RingRegion() = default;
  RingRegion(RingRegion&& other) noexcept { *this = std::move(other); }
  RingRegion& operator=(RingRegion&& other) noexcept;
  ~RingRegion();

  // A region to write in, all zeros; `to_send` is what the peer maps. Nobody else can write
  // in it, nor change its size (F_SEAL_FUTURE_WRITE, Linux 5.1).
  // Returns: RESOURCE_EXHAUSTED when descriptors or memory have run out; UNIMPLEMENTED when
  // the system cannot do that.
  static absl::StatusOr<RingRegion> Create(const RingGeometry& geometry, UniqueFd& to_send);

  // The peer's, to read. Touching it is safe whatever the peer does: it cannot shrink, and
  // its pages are ordinary memory.
  // Returns: DATA_LOSS — `fd` is not that, saying what; RESOURCE_EXHAUSTED.
  static absl::StatusOr<RingRegion> MapPeers(const UniqueFd& fd, const RingGeometry& geometry);

  char* data() const { return static_cast<char*>(memory_); }

 private:
  RingRegion(void* memory, size_t size) : memory_(memory), size_(size) {}

  void* memory_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_RING_REGION_H_
