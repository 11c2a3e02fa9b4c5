// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SPIN_PARAMETER_H_
#define FERRY_TRANSPORT_INTERNAL_SPIN_PARAMETER_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/transport/address.h"
#include "ferry/transport/listener.h"

namespace ferry::internal {

// The parameter of every address for Transport::spin_limit: "spin=20us", or 0 for never.
inline constexpr char kSpin[] = "spin";

// Beyond that a CPU is busy for longer than any sleep and wake takes.
inline constexpr absl::Duration kMaxSpinLimit = absl::Milliseconds(10);

// What it says; nullopt: nothing.
// Returns: INVALID_ARGUMENT.
absl::StatusOr<std::optional<absl::Duration>> SpinLimitOf(const Address& address);

// The same listener, giving that limit to all that it accepts.
std::unique_ptr<Listener> WithSpinLimit(std::unique_ptr<Listener> listener, absl::Duration limit);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SPIN_PARAMETER_H_
