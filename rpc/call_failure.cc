// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/call_failure.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "ferry/proto/failure.pb.h"

namespace ferry {
namespace {

constexpr char kTypeUrl[] = "type.googleapis.com/ferry.wire.CallFailure";

}  // namespace

std::optional<CallFailure> CallFailureOf(const absl::Status& status) {
  absl::optional<absl::Cord> payload = status.GetPayload(kTypeUrl);
  wire::CallFailure wire;
  if (!payload.has_value() || !wire.ParseFromString(std::string(*payload))) return std::nullopt;
  return CallFailure{wire.origin() == wire::CallFailure::THERE ? CallFailure::Origin::kThere
                                                               : CallFailure::Origin::kHere,
                     wire.delivery() == wire::CallFailure::NOT_SENT
                         ? CallFailure::Delivery::kNotSent
                         : CallFailure::Delivery::kMaybeExecuted};
}

namespace internal {

absl::Status WithFailure(absl::Status status, CallFailure failure) {
  wire::CallFailure wire;
  wire.set_origin(failure.origin == CallFailure::Origin::kThere ? wire::CallFailure::THERE
                                                                : wire::CallFailure::HERE);
  wire.set_delivery(failure.delivery == CallFailure::Delivery::kNotSent
                        ? wire::CallFailure::NOT_SENT
                        : wire::CallFailure::MAYBE_EXECUTED);
  status.SetPayload(kTypeUrl, absl::Cord(wire.SerializeAsString()));
  return status;
}

}  // namespace internal
}  // namespace ferry
