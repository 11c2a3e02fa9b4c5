// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/private_copy.h"

#include <cstring>
#include <new>

namespace ferry::internal {

PrivateCopy::~PrivateCopy() {
  Release();
  ::operator delete(small_);
}

const char* PrivateCopy::Of(const char* data, size_t size) {
  char* to;
  if (size <= kSmall) {
    if (small_ == nullptr) small_ = static_cast<char*>(::operator new(kSmall));
    to = small_;
  } else {
    large_ = TakeLargeMemory(size);
    to = static_cast<char*>(large_.begin);
  }
  std::memcpy(to, data, size);
  return to;
}

void PrivateCopy::ReleaseLarge() {
  GiveLargeMemory(large_);
  large_ = {};
}

}  // namespace ferry::internal
