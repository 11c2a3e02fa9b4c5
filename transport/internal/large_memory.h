// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory for large messages. What was just used, and is in the cache, is lent to whoever
// needs some next: fresh pages cost more than copying the message does. So all
// connections of a process share a few buffers, and an idle one keeps none.

#ifndef FERRY_TRANSPORT_INTERNAL_LARGE_MEMORY_H_
#define FERRY_TRANSPORT_INTERNAL_LARGE_MEMORY_H_

#include <cstddef>

namespace ferry::internal {

struct LargeMemory {
  void* begin;
  size_t size;
};

// At least `size` bytes, aligned for anything. Any thread.
LargeMemory TakeLargeMemory(size_t size);
void GiveLargeMemory(LargeMemory memory);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_LARGE_MEMORY_H_
