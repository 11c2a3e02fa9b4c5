// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/ring_layout.h"

#include <algorithm>

namespace ferry::internal {
namespace {

// The reader tells of its progress by half laps: more than 64 frames may be under way.
constexpr uint32_t kMinSlots = 128;
constexpr uint32_t kMaxSlots = 4096;

// How much payload there is to a slot, at least as long as kMaxSlots allow it.
constexpr uint32_t kRingPerSlot = 1024;

}  // namespace

RingGeometry RingGeometry::For(size_t bytes) {
  RingGeometry geometry;
  geometry.ring = static_cast<uint32_t>((bytes + kPage - 1) / kPage * kPage);
  geometry.slots = kMinSlots;
  while (geometry.slots < std::min(geometry.ring / kRingPerSlot, kMaxSlots)) geometry.slots *= 2;
  return geometry;
}

bool RingGeometry::IsValid() const {
  return ring >= kMinRing && ring <= kMaxRing && ring % kPage == 0 && slots >= 2 &&
         slots <= kMaxSlots && (slots & (slots - 1)) == 0;
}

}  // namespace ferry::internal
