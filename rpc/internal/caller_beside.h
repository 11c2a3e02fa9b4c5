// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALLER_BESIDE_H_
#define FERRY_RPC_INTERNAL_CALLER_BESIDE_H_

#include <optional>

#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/pending_call.h"

namespace ferry::internal {

// Lets a thread wait beside the connection's reader, if it has one; runs what is left of the
// handlers nested in the wait. Outlives the places where the wait can be found, and is destroyed
// without a lock. Thread contract: owned by the thread that waits.
class Caller::Beside {
 public:
  Beside(Caller& caller, CallWait& wait);
  ~Beside();
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

 private:
  Caller& caller_;
  CallWait& wait_;
  std::optional<HandlerWait> beside_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALLER_BESIDE_H_
