// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Unix stream sockets by name, for the transports that meet at one: whose it is, who
// waits there, and why nobody does.

#ifndef FERRY_TRANSPORT_INTERNAL_LOCAL_SOCKET_H_
#define FERRY_TRANSPORT_INTERNAL_LOCAL_SOCKET_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/owned_name.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// A socket's name: a path, or one that only the system keeps.
struct SocketName {
  std::string address;  // "unix:/run/x", for error texts
  std::string scheme;   // "unix:"
  std::string name;     // as the system takes it: a path, or a NUL byte and the rest

  bool has_path() const { return name[0] != '\0'; }

  // Returns: INVALID_ARGUMENT — too long, or no name at all.
  static absl::StatusOr<SocketName> OfPath(const char* scheme, const std::string& path);
  // `prefix` keeps the names of one scheme apart from another's.
  static absl::StatusOr<SocketName> Abstract(const char* scheme, const char* prefix,
                                             const std::string& name);
};

// One end of a connection, and who is at the other.
struct LocalSocket {
  UniqueFd fd;  // blocks
  Peer peer;
};

// Thread contract: thread-compatible.
class LocalSocketListener {
 public:
  // Returns: ALREADY_EXISTS — somebody serves there; of a path also: NOT_FOUND — there is
  // no such folder; PERMISSION_DENIED — it may not be written, or other users could replace
  // the name; FAILED_PRECONDITION — what is there is not a socket of ours;
  // INVALID_ARGUMENT — the path ends in ".lock" or ".new"; else what errno says.
  static absl::StatusOr<LocalSocketListener> Listen(const SocketName& name);

  // Who has connected, if anybody has. Returns: as Listener::TryAccept.
  absl::StatusOr<std::optional<LocalSocket>> TryAccept();
  int wait_handle() const { return socket_.get(); }

 private:
  LocalSocketListener(std::string address, UniqueFd socket, std::unique_ptr<OwnedName> name)
      : address_(std::move(address)), socket_(std::move(socket)), name_(std::move(name)) {}

  ForkMark fork_mark_;
  std::string address_;
  UniqueFd socket_;
  std::unique_ptr<OwnedName> name_;  // null for an abstract one; given up first
};

// Connects; waits only while the server is too busy to let anybody in.
// Returns: UNAVAILABLE — nobody listens, with what is at the path; DEADLINE_EXCEEDED;
// PERMISSION_DENIED; else what errno says.
absl::StatusOr<LocalSocket> ConnectLocalSocket(const SocketName& name, Deadline deadline);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_LOCAL_SOCKET_H_
