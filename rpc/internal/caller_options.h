// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALLER_OPTIONS_H_
#define FERRY_RPC_INTERNAL_CALLER_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "ferry/rpc/internal/connection_reader.h"
#include "ferry/rpc/internal/limits.h"

namespace ferry::internal {

struct CallerOptions {
  uint32_t side = 0;
  size_t max_message = kDefaultMaxMessage;
  absl::Duration keepalive = absl::InfiniteDuration();
  // A call after a pause looks whether the peer has gone, rather than to find out by failing.
  bool looks_after_pause = false;
  // Null: the callers read themselves.
  ConnectionReader* beside = nullptr;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALLER_OPTIONS_H_
