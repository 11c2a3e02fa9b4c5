// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_LIMITS_H_
#define FERRY_RPC_INTERNAL_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace ferry {

// The largest message that is sent or accepted unless options say otherwise, in bytes.
inline constexpr size_t kDefaultMaxMessage = 64 * 1024 * 1024;

// Protobuf counts the bytes of a message in an int.
inline constexpr size_t kHighestMaxMessage = 0x7fffffff;

// Of limits that count.
inline constexpr size_t kNoLimit = ~size_t{0};

// Bytes of requests that a client may have under way.
inline constexpr size_t kDefaultRequestCredit = 1024 * 1024;

// Bytes of messages that the other side of a stream may have under way.
inline constexpr size_t kDefaultStreamCredit = 256 * 1024;

// Credit for a stream that lets something through, and is counted without overflow.
inline constexpr size_t SaneStreamCredit(size_t bytes) {
  return bytes == 0 ? 1 : bytes < kHighestMaxMessage ? bytes : kHighestMaxMessage;
}

// Bytes that a server holds for one connection.
inline constexpr size_t kDefaultMaxConnectionMemory = 2 * kDefaultMaxMessage;

// How many handlers run nested in each other on one thread: each in a wait of the one before, for a
// call that it made back to its caller. A request that would be one more fails with
// RESOURCE_EXHAUSTED.
inline constexpr int kMaxNesting = 128;

// How long a connection waits for the peer's hello.
inline constexpr absl::Duration kDefaultHandshakeTimeout = absl::Seconds(10);

}  // namespace ferry

#endif  // FERRY_RPC_INTERNAL_LIMITS_H_
