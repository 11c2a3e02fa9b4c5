// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Shared memory by name. What has the name is a socket, at which the two ends meet and
// hand each other the memory: under a plain name one that only the system keeps, which
// every user of the machine may connect to, or at a path (a name with a '/') a file, as
// with unix:. The memory itself has no name, so nothing is ever left of it.

#ifndef FERRY_TRANSPORT_SHM_H_
#define FERRY_TRANSPORT_SHM_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/shm_options.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Returns: what ListenUnix does; UNIMPLEMENTED when the system cannot share memory safely.
absl::StatusOr<std::unique_ptr<Listener>> ListenShm(const std::string& name,
                                                    const ShmOptions& options);

// Returns: what ConnectUnix does; RESOURCE_EXHAUSTED, UNIMPLEMENTED.
absl::StatusOr<std::unique_ptr<Transport>> ConnectShm(const std::string& name,
                                                      const ShmOptions& options, Deadline deadline);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_SHM_H_
