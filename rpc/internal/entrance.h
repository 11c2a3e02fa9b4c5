// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_ENTRANCE_H_
#define FERRY_RPC_INTERNAL_ENTRANCE_H_

#include <string>

#include "absl/status/status.h"
#include "ferry/rpc/event.h"
#include "ferry/rpc/server.h"

namespace ferry::internal {

// An address that a server is reached at, and what goes for those who come that way.
// Thread contract: constant.
struct Entrance {
  std::string address;  // as given to Listen
  ServerOptions options;
  // The address has a `max_connections` of its own, which goes before that of the server.
  bool has_own_limit = false;

  // To who listens to events; no lock may be held.
  void Tell(ferry::Event::Type type, const Peer* peer, const absl::Status& status) const {
    if (!options.on_event) return;
    ferry::Event event;
    event.type = type;
    event.address = address;
    event.peer = peer;
    event.status = status;
    options.on_event(event);
  }
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_ENTRANCE_H_
