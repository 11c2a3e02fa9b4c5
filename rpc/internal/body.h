// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_BODY_H_
#define FERRY_RPC_INTERNAL_BODY_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <utility>

#include "absl/base/attributes.h"
#include "ferry/rpc/internal/assembly.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// False when the bytes are no such message, or lack required fields.
inline bool ParseMessage(const char* data, size_t size, google::protobuf::MessageLite& message) {
  return message.ParsePartialFromArray(data, static_cast<int>(size)) && message.IsInitialized();
}

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

  bool is_assembled() const { return assembly_ != nullptr; }

  // The bytes in a buffer of their own, which those of the transport are copied to; releases it.
  Assembly Take() {
    if (assembly_ != nullptr) return std::move(*std::exchange(assembly_, nullptr));
    Assembly copy = Assembly::Copy(data_, size_);
    Release();
    return copy;
  }

  // The bytes are gone; the size stays for error texts.
  void Release() {
    if (transport_ != nullptr) std::exchange(transport_, nullptr)->Release();
    if (assembly_ != nullptr) ReleaseAssembly();
  }

 private:
  void ReleaseAssembly() ABSL_ATTRIBUTE_NOINLINE {
    *std::exchange(assembly_, nullptr) = Assembly();
  }

  Transport* transport_ = nullptr;
  Assembly* assembly_ = nullptr;
  const char* const data_;
  const size_t size_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_BODY_H_
