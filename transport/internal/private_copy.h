// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_PRIVATE_COPY_H_
#define FERRY_TRANSPORT_INTERNAL_PRIVATE_COPY_H_

#include <cstddef>

#include "ferry/transport/internal/large_memory.h"

namespace ferry::internal {

// Where a payload is copied that somebody else could change. The same few kilobytes
// again and again, so that they stay in the cache; for larger payloads, memory that all
// connections share. Thread contract: thread-compatible.
class PrivateCopy {
 public:
  PrivateCopy() = default;
  ~PrivateCopy();
  PrivateCopy(const PrivateCopy&) = delete;
  PrivateCopy& operator=(const PrivateCopy&) = delete;

  // Valid until Release.
  const char* Of(const char* data, size_t size);
  void Release() {
    if (large_.begin != nullptr) ReleaseLarge();
  }

 private:
  static constexpr size_t kSmall = 4096;

  void ReleaseLarge();

  char* small_ = nullptr;
  LargeMemory large_ = {};
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PRIVATE_COPY_H_
