// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_OWN_REPLY_H_
#define FERRY_RPC_INTERNAL_OWN_REPLY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "ferry/rpc/internal/pending_call.h"

namespace ferry::internal {

// The reply to the call of the thread that reads: nobody else looks at it, so that it is taken in
// without the lock, which that thread is about to take anyway.
struct OwnReply {
  const PendingCall* call = nullptr;
  bool is_here = false;
  uint32_t credit = 0;
  absl::Status outcome;

  // It wakes others, whose calls are done, once it has left, or before it waits on: woken at once
  // on its own CPU they would find it at work on the connection, and sleep again.
  bool wakes_later = false;
  bool has_due = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_OWN_REPLY_H_
