// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Channel: the client's handle, through which stubs call.

#ifndef FERRY_RPC_CHANNEL_H_
#define FERRY_RPC_CHANNEL_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/rpc/callback.h"
#include "ferry/rpc/cancellation.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/event.h"
#include "ferry/rpc/exit_code.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/metadata.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/peer_policy.h"
#include "ferry/transport/transport.h"

namespace ferry {

namespace internal {
class ChannelBase;
class StreamReactor;
}  // namespace internal

class ClientInterceptor;
class Service;
class ServerInterceptor;

enum class Reconnect {
  kNever,
  kOnCall,  // the next call connects
  kAtOnce,  // a thread of the channel connects as soon as it can
};

enum class Restart {
  kNever,
  kOnFailure,  // those that were killed, or exited with another code than 0
  kAlways,
};

// What an address or a configuration file says goes before what is said here.
struct ChannelOptions {
  // The largest request sent and reply accepted, in bytes; at most 2147483647.
  size_t max_message = kDefaultMaxMessage;

  // Bytes of messages that the server may send on a stream before they are read; it waits with
  // more. One message of any size is possible whenever some of it is left.
  size_t stream_credit = kDefaultStreamCredit;

  // How long the other side may take to accept and to answer with its hello. A child that
  // needs longer to start needs more.
  absl::Duration handshake_timeout = kDefaultHandshakeTimeout;

  // How long Connect waits for somebody to serve the address; 0: it fails at once when
  // nobody does. It looks every 1 to 50 ms; who serves then has the handshake_timeout.
  absl::Duration wait_for_ready = absl::ZeroDuration();

  // Whom to call; with a server that it does not admit, Connect fails with its status.
  PeerPolicy admit = AdmitOwnUserAndRoot;

  // What follows the loss of a connection to a named endpoint, or the end of a child that
  // `restart` wants back. A call that may have run is never repeated by any of them.
  Reconnect reconnect = Reconnect::kOnCall;

  // The pause after a failed attempt to connect again, during which calls fail at once: 10 ms
  // at first, doubled each time up to this, give or take a fifth.
  absl::Duration max_backoff = absl::Seconds(1);

  // While a call waits and nothing arrives for so long, a ping is sent; the connection is
  // closed, with UNAVAILABLE, when nothing has arrived for as long again. For a server that
  // lives but hangs; the end of one shows without it.
  absl::Duration keepalive = absl::InfiniteDuration();

  // Of `exec:` which children are started again, and how often within which time at most;
  // after that the channel stays UNAVAILABLE.
  Restart restart = Restart::kNever;
  size_t restart_limit = 5;
  absl::Duration restart_window = absl::Minutes(1);

  // What the channel serves to its other side, whose handlers call back through
  // ServerContext::channel(). They outlive the channel, whose last handle waits for their handlers
  // when it goes, unless it goes on the thread of one. A name registered twice, or two with one
  // method id, make Connect fail as Server::Serve does; with `keepalive` it is UNIMPLEMENTED.
  // A channel that serves is read by a thread of its own, which costs its calls a wakeup, unless
  // they come one soon after the other: see docs/peers.md.
  std::vector<Service*> services;
  std::vector<ServerInterceptor*> service_interceptors;  // and who sees the calls of these

  // See each call of the channel (interceptor.h); they outlive it. Calls that handlers make back to
  // their callers are not of a channel.
  std::vector<ClientInterceptor*> interceptors;

  // The channel makes asynchronous calls, too (callback.h): a thread of its own reads it, as for
  // `services`, and runs the callbacks. The last handle waits for callbacks as it does for
  // handlers, and those of calls that it ends have run then. Without it they fail with
  // FAILED_PRECONDITION, in the call.
  bool async = false;

  // As `async`, but without a thread: Channel::Dispatch, called by the program's own loop, reads,
  // and runs callbacks and the handlers of `services`.
  bool in_loop = false;

  // Threads that serve and run callbacks, started as they are needed. A handler that calls back to
  // who called it takes none beside its own: while a thread waits for a call, it runs the handlers
  // of those that come back for it, up to 128 in each other.
  size_t max_threads = 64;

  // Where names without a scheme are looked up; "": the file that the environment variable
  // FERRY_CONFIG names, unless the process runs with more rights than its caller.
  std::string config_file;

  EventSink on_event;
};

struct CallOptions {
  // From the call on. Afterwards the call fails with DEADLINE_EXCEEDED.
  absl::Duration timeout = absl::InfiniteDuration();

  // Without a connection, tries to connect until the timeout rather than to fail.
  bool wait_for_ready = false;

  // On the thread of a handler, the call ends with the one that the handler serves, if that is
  // sooner (ServerContext::deadline).
  bool inherit_deadline = true;

  // Ends the call from another thread, with CANCELLED. Outlives the call.
  Cancellation* cancellation = nullptr;

  // What goes with the request.
  Metadata metadata;

  // What the server sends along, if wanted: filled in when a unary call returns, or Finish; the
  // initial ones when the first Read does. They outlive the call, and begin empty.
  Metadata* initial_metadata = nullptr;
  Metadata* trailing_metadata = nullptr;
};

// Copies share one connection at a time; when the last one goes, it is closed, and a child
// that it started is stopped. That of a ServerContext keeps nothing, and never connects. A lost
// connection to a named endpoint is made again, see ChannelOptions::reconnect; until then, and when
// it cannot be, calls fail UNAVAILABLE and were not sent (CallFailureOf). Thread contract:
// thread-safe; any number of threads may call at once.
class Channel {
 public:
  // For ferry; users have Connect and Spawn.
  explicit Channel(std::shared_ptr<internal::ChannelBase> core) : core_(std::move(core)) {}

  // Who serves, or served last.
  Peer peer() const;

  // Ends the connection, and makes none any more: calls in progress and later ones fail with
  // CANCELLED.
  void Close() const;

  // For a loop of the program's own, with ChannelOptions::in_loop: epoll, poll, libuv or Asio wait
  // until this descriptor, which stays the channel's, is readable, and then Dispatch is called. -1
  // without the option.
  int wait_handle() const;
  // Does what there is to do now, a bounded amount of it: the descriptor stays readable while there
  // is more. It waits for nothing but what handlers and callbacks wait for; nor for a connection,
  // unless a call wants one that is lost. On one thread at a time; blocking calls are possible
  // meanwhile on any, and read for themselves. Nothing without the option.
  void Dispatch() const;

  // For generated code, which knows the types. Returns: see the stub's method.
  absl::Status Call(const Method& method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& reply, const CallOptions& options) const;
  // The same, asynchronously: returns when the request has been handed over, or has failed. What
  // cannot wait fails: for a request that the server has no room for it is RESOURCE_EXHAUSTED. A
  // call without a connection connects, on a thread of the channel. `reply` outlives the callback.
  void Call(const Method& method, const google::protobuf::MessageLite& request,
            google::protobuf::MessageLite& reply, Callback done, const CallOptions& options) const;
  // `request`: null when the method takes a stream. `reply`, which outlives the call: null when
  // it returns one. A call that cannot begin is one that has ended.
  std::unique_ptr<internal::ClientStream> OpenStream(const Method& method,
                                                     const google::protobuf::MessageLite* request,
                                                     google::protobuf::MessageLite* reply,
                                                     const CallOptions& options) const;
  // The same, asynchronously; what is given by reference outlives the reactor's end.
  void OpenStream(const Method& method, const google::protobuf::MessageLite* request,
                  google::protobuf::MessageLite* reply, internal::StreamReactor& reactor,
                  const CallOptions& options) const;
  // Returns when the request has been handed to the system, or lies where the server reads it.
  absl::Status SendOneWay(const Method& method, const google::protobuf::MessageLite& request,
                          const CallOptions& options) const;

 private:
  std::shared_ptr<internal::ChannelBase> core_;
};

// Connects to whoever serves the address, or the one that a configuration file has for a
// name (docs/configuration.md), and starts them for `exec:`.
// Returns: INVALID_ARGUMENT for a bad address or configuration; FAILED_PRECONDITION for a
// name when there is no configuration; NOT_FOUND, PERMISSION_DENIED for a name, file or
// program that is not there or may not be read or run; UNAVAILABLE when nobody serves there, with
// what is there instead, or the peer went away instead of answering; DEADLINE_EXCEEDED
// when it did not answer in time; PERMISSION_DENIED when one side does not admit the
// other; FAILED_PRECONDITION when it speaks no protocol version of ours; DATA_LOSS when
// what it answered is not ferry's protocol; RESOURCE_EXHAUSTED when this process has no
// descriptor or process left, or the server has too many connections.
absl::StatusOr<Channel> Connect(std::string_view address, const ChannelOptions& options = {});

namespace internal {

// A channel on a transport, which it stays with, once the peer has said hello.
absl::StatusOr<Channel> OpenChannel(std::unique_ptr<Transport> transport,
                                    const ChannelOptions& options, Deadline deadline);

}  // namespace internal
}  // namespace ferry

#endif  // FERRY_RPC_CHANNEL_H_
