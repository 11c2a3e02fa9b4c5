// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Server: services, and the endpoints they are reached at.

#ifndef FERRY_RPC_SERVER_H_
#define FERRY_RPC_SERVER_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "ferry/rpc/exit_code.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/service.h"

namespace ferry {

struct ServerOptions {
  // The largest request accepted and reply sent, in bytes; at most 2147483647.
  size_t max_message = kDefaultMaxMessage;

  // Threads that serve, the one in Serve included. They are started as they are
  // needed. When all are taken by handlers that wait, further requests wait, too.
  size_t max_threads = 64;
};

// Thread contract: Register before Serve; Shutdown on any thread.
class Server {
 public:
  explicit Server(const ServerOptions& options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // `service` outlives the server. A name that is registered already, and two names
  // that have one method id, make Serve fail.
  void Register(Service& service);

  // Serves at an address until there is nobody left to serve — for `parent:` and
  // `stdio:`, until the peer is gone — or until Shutdown. Handlers have returned when it
  // returns; a process whose parent has ended, and whose handlers have not returned 5 s
  // later (`parent:?orphan_grace=5s`), ends.
  // Returns: OK; ALREADY_EXISTS, FAILED_PRECONDITION as said at Register;
  // INVALID_ARGUMENT for a bad address; for `parent:` also FAILED_PRECONDITION when no
  // ferry parent started this process or its protocol is another, and DATA_LOSS when
  // it broke the protocol; FAILED_PRECONDITION in a process that was forked since the
  // server was made; else what the transport's listener says.
  absl::Status Serve(std::string_view address);

  // Ends Serve, and every connection at once. Handlers that run are waited for; their
  // replies are lost.
  void Shutdown();

 private:
  class State;
  State* const state_;  // owned, but in a forked child left alone
};

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_H_
