// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Server: services, and the endpoints they are reached at.

#ifndef FERRY_RPC_SERVER_H_
#define FERRY_RPC_SERVER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/rpc/event.h"
#include "ferry/rpc/exit_code.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/service.h"
#include "ferry/transport/peer_policy.h"

namespace ferry {

class ServerInterceptor;

// What an address or a configuration file says goes, for that address, before what is said
// here.
struct ServerOptions {
  // The largest request accepted and reply sent, in bytes; at most 2147483647.
  size_t max_message = kDefaultMaxMessage;

  // Threads that serve, the one in Serve included. They are started as they are
  // needed. When all are taken by handlers that wait, further requests wait, too. With 1 every
  // handler runs on the thread that reads.
  size_t max_threads = 64;

  // Who connects beyond that is refused with RESOURCE_EXHAUSTED. A connection takes a
  // descriptor, or two with pipes; when the process has none left, who connects waits. In an
  // address it counts the connections of that address, which do not count here then.
  size_t max_connections = 4096;

  // The same for those of one process, where the transport tells it (Peer::pid), at all
  // addresses together; one that an address has is for those who come there.
  size_t max_connections_per_process = kNoLimit;

  // As that, for those who have not said hello.
  size_t max_handshakes = 256;

  // Bytes of requests that a client may send before handlers take them; it waits with more.
  // One request of any size is possible whenever some of it is left.
  size_t request_credit = kDefaultRequestCredit;

  // Bytes of messages that a client may send on a stream before the handler reads them; it waits
  // with more. One message of any size is possible whenever some of it is left.
  size_t stream_credit = kDefaultStreamCredit;

  // Calls of one connection whose handlers run, which they do for a moment behind their replies;
  // more fail with RESOURCE_EXHAUSTED.
  size_t max_requests = kNoLimit;

  // Bytes held for one connection: of requests and messages that are unfinished or not taken, one
  // more of which then fails its call with RESOURCE_EXHAUSTED, and of replies that the client does
  // not read, during which its requests wait.
  size_t max_connection_memory = kDefaultMaxConnectionMemory;

  // How long a client may take to say hello, before its connection is closed; the one of
  // `parent:` or `stdio:`, which was there first, may take for ever.
  absl::Duration handshake_timeout = kDefaultHandshakeTimeout;

  // Runs handlers, if there is one, in place of the server's threads: is called by the thread that
  // reads, with what is to be run once, soon, on any thread but in the call itself; so it must not
  // wait. What it drops fails with UNAVAILABLE. It outlives the server's last handler. Handlers of
  // calls that are made back to a waiting handler run where that waits, all the same.
  std::function<void(absl::AnyInvocable<void()>)> executor;

  // See each call that reaches a handler (interceptor.h); they outlive the server.
  std::vector<ServerInterceptor*> interceptors;

  // Whom to serve; others get its status.
  PeerPolicy admit = AdmitOwnUserAndRoot;

  // Where names without a scheme are looked up; "": the file that the environment variable
  // FERRY_CONFIG names, unless the process runs with more rights than its caller.
  std::string config_file;

  EventSink on_event;
};

// Thread contract: Register and Listen before Serve; Shutdown on any thread.
class Server {
 public:
  explicit Server(const ServerOptions& options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // `service` outlives the server. A name that is registered already, and two names
  // that have one method id, make Serve fail.
  void Register(Service& service);

  // Makes the server reachable at an address, or the one that a configuration file has for a
  // name (docs/configuration.md), and at as many as it is called for; who connects waits for
  // Serve.
  // Returns: INVALID_ARGUMENT for a bad address or configuration; NOT_FOUND when it lacks the
  // name; ALREADY_EXISTS when the address is served already; FAILED_PRECONDITION when
  // something that is not ours to remove is in the way, for a name when there is no
  // configuration, in a process that was forked since the server was made, and for `parent:`
  // when no ferry parent started this process; else what the transport's listener says.
  absl::Status Listen(std::string_view address);

  // Serves until Shutdown or — with `parent:` or `stdio:` — until that peer is gone, and
  // gives the addresses up. Handlers have returned when it returns; a process whose parent
  // has ended, and whose handlers have not returned 5 s later
  // (`parent:?orphan_grace=5s`), ends.
  // Returns: OK; ALREADY_EXISTS, FAILED_PRECONDITION as said at Register;
  // FAILED_PRECONDITION when there is no address, and in a process that was forked since
  // the server was made; for `parent:` also FAILED_PRECONDITION when the parent's protocol
  // is another, DATA_LOSS when it broke the protocol, and what `admit` says of it;
  // RESOURCE_EXHAUSTED when the system lacks descriptors or threads.
  absl::Status Serve();

  // Listen, then Serve.
  absl::Status Serve(std::string_view address);

  // In place of Serve, for a loop of the program's own: returns at once, and the server starts no
  // thread. The loop waits until the descriptor wait_handle(), which stays the server's, is
  // readable, and then calls Dispatch, which does what there is to do now, a bounded amount of it:
  // the descriptor stays readable while there is more. Handlers run in there, one after the other,
  // so that they return soon: they may answer later (answer.h), or react (server_reactor.h); one
  // that waits in a stream, or for a call, holds the loop up. Dispatch answers false when the
  // server has ended, as Serve would have returned; outcome() then is what that would have been.
  // `max_threads` means nothing. On one thread at a time. Returns: what Serve does.
  absl::Status Start();
  int wait_handle() const;
  bool Dispatch();
  absl::Status outcome() const;

  // Ends Serve, now or as soon as it is called. At once nobody is accepted any more, the
  // names are given up, so that another server can take them, clients are told, and no
  // request is taken any more: who sent one learns that it did not run. Calls whose handlers
  // run have `grace` to end; then every connection is closed, and what still runs is
  // cancelled (ServerContext::IsCancelled). Serve returns when all handlers have. The
  // shortest grace counts. Safe on any thread, and in a signal handler.
  void Shutdown(absl::Duration grace = absl::ZeroDuration());

 private:
  class State;
  State* const state_;  // owned, but in a forked child left alone
};

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_H_
