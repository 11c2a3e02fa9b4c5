// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What is known about a failed call beyond its status code.

#ifndef FERRY_RPC_CALL_FAILURE_H_
#define FERRY_RPC_CALL_FAILURE_H_

#include <optional>

#include "absl/status/status.h"

namespace ferry {

struct CallFailure {
  enum class Origin {
    kHere,   // ferry in this process, or the loss of the connection
    kThere,  // the service, or ferry on its side
  };
  enum class Delivery {
    kNotSent,        // no byte of the request left this process: safe to call again
    kMaybeExecuted,  // the service may have seen it
  };
  Origin origin;
  Delivery delivery;
};

// What ferry attached to the status of a failed call; nullopt for any other status.
std::optional<CallFailure> CallFailureOf(const absl::Status& status);

namespace internal {

// `status` with `failure` attached. REQUIRES: !status.ok().
absl::Status WithFailure(absl::Status status, CallFailure failure);

}  // namespace internal
}  // namespace ferry

#endif  // FERRY_RPC_CALL_FAILURE_H_
