// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_BODY_H_
#define FERRY_RPC_INTERNAL_BODY_H_

#include <cstddef>
#include <utility>

#include "ferry/rpc/internal/assembly.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// The bytes of one whole message, where they lie: in the transport's buffer, which can
// read on once the body is released, or assembled from fragments in a buffer of their
// owner. Thread contract: that of the transport's receiving half until released.
class Body {
 public:
  Body(Transport& transport, const Frame& frame)
      : transport_(&transport), data_(frame.payload), size_(frame.header.length) {}
  explicit Body(Assembly& assembly)
      : assembly_(&assembly), data_(assembly.data()), size_(assembly.size()) {}
  ~Body() { Release(); }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  const char* data() const { return data_; }
  size_t size() const { return size_; }

  // The bytes are gone; the size stays for error texts.
  void Release() {
    if (transport_ != nullptr) std::exchange(transport_, nullptr)->Release();
    if (assembly_ != nullptr) *std::exchange(assembly_, nullptr) = Assembly();
  }

 private:
  Transport* transport_ = nullptr;
  Assembly* assembly_ = nullptr;
  const char* const data_;
  const size_t size_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_BODY_H_
