// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SHM_PARAMETERS_H_
#define FERRY_TRANSPORT_INTERNAL_SHM_PARAMETERS_H_

#include "ferry/transport/parameter.h"
#include "ferry/transport/shm_options.h"

namespace ferry::internal {

// REQUIRES: CheckAddress is OK.
inline ShmOptions ShmOptionsOf(const Address& address) {
  ShmOptions options;
  Read(address, "ring", options.ring);
  Read(address, "trusted", options.trusted);
  return options;
}

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SHM_PARAMETERS_H_
