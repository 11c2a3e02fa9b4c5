// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// From an address to a transport: the one place that knows every scheme.

#ifndef FERRY_TRANSPORT_ENDPOINT_H_
#define FERRY_TRANSPORT_ENDPOINT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ferry/transport/address.h"
#include "ferry/transport/child_process.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Connects to whoever serves the address; `exec:` starts them.
// Returns: INVALID_ARGUMENT for an unknown scheme or parameter, listing what there is;
// UNAVAILABLE when nobody serves it, DEADLINE_EXCEEDED when who does has not accepted
// before `deadline`; else what the transport says.
// `child`, unless null, becomes the process that was started.
absl::StatusOr<std::unique_ptr<Transport>> ConnectTransport(
    const Address& address, Deadline deadline, std::shared_ptr<ChildProcess>* child = nullptr);

// Returns: INVALID_ARGUMENT as above, ALREADY_EXISTS when the name is served already,
// else what the transport says.
absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address);

// The child that an `exec:` address describes.
absl::StatusOr<ChildOptions> ChildOptionsOf(const Address& address);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_ENDPOINT_H_
