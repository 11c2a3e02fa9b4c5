// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// InprocTransport: both ends in one process, joined by two queues. The reference for
// what Transport promises, and the way to test a service without a second process.

#ifndef FERRY_TRANSPORT_INPROC_TRANSPORT_H_
#define FERRY_TRANSPORT_INPROC_TRANSPORT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Two ends of a new connection, called `name` in error texts.
std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> CreateInprocPair(
    const std::string& name);

// Listens at inproc:NAME within this process.
// Returns: ALREADY_EXISTS when somebody does.
absl::StatusOr<std::unique_ptr<Listener>> ListenInproc(const std::string& name);

// Returns: UNAVAILABLE when nobody listens at inproc:NAME.
absl::StatusOr<std::unique_ptr<Transport>> ConnectInproc(const std::string& name);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_INPROC_TRANSPORT_H_
