// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SHM_PARAMETERS_H_
#define FERRY_TRANSPORT_INTERNAL_SHM_PARAMETERS_H_

#include "absl/status/statusor.h"
#include "ferry/transport/address.h"
#include "ferry/transport/shm_options.h"

namespace ferry::internal {

// The parameters of addresses that share memory: "ring=256KiB", "trusted=1".
inline constexpr char kRing[] = "ring";
inline constexpr char kTrusted[] = "trusted";

// Returns: INVALID_ARGUMENT.
absl::StatusOr<ShmOptions> ShmOptionsOf(const Address& address);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SHM_PARAMETERS_H_
