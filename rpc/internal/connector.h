// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// From an address to a connection that has been greeted.

#ifndef FERRY_RPC_INTERNAL_CONNECTOR_H_
#define FERRY_RPC_INTERNAL_CONNECTOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/internal/channel_server.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/transport/address.h"
#include "ferry/transport/child_process.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// A connection that calls, and the child at its other end, if it was started for it.
struct ConnectionToPeer {
  std::shared_ptr<Connection> connection;
  std::shared_ptr<ChildProcess> child;
};

// `mutex` becomes that of the connection's calls; `server`, which may be null, serves its other
// side. Both return what ferry::Connect does.
absl::StatusOr<ConnectionToPeer> ConnectTo(const Address& address, const ChannelOptions& options,
                                           Deadline deadline, const std::shared_ptr<Mutex>& mutex,
                                           ChannelServer* server);
absl::StatusOr<ConnectionToPeer> GreetOn(std::unique_ptr<Transport> transport,
                                         const ChannelOptions& options, Deadline deadline,
                                         const std::shared_ptr<Mutex>& mutex,
                                         ChannelServer* server);

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CONNECTOR_H_
