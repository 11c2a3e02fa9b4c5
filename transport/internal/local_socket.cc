// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/local_socket.h"

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/place.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

// The byte beside a path is its end, beside an abstract name its beginning.
constexpr size_t kMaxName = sizeof(sockaddr_un::sun_path) - 1;
constexpr size_t kMaxServedPath = kMaxName - sizeof(".new") + 1;  // see OwnedName

constexpr int kBacklog = 4096;  // the system cuts it down to net.core.somaxconn

constexpr absl::Duration kFirstPause = absl::Microseconds(100);
constexpr absl::Duration kLongestPause = absl::Milliseconds(10);

absl::Status CheckLength(const std::string& address, const char* what, size_t length, size_t max) {
  if (length <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(address, ": the ", what, " has ", length,
                                                 " bytes, of which a socket can have ", max));
}

absl::Status Failed(const std::string& address, const char* what) {
  int error = errno;
  std::string text = absl::StrCat(address, ": ", what);
  if (!IsShortage(error)) return absl::ErrnoToStatus(error, text);
  return absl::ResourceExhaustedError(absl::ErrnoToStatus(error, text).message());
}

// "process 4711", or how far the system tells.
std::string ProcessName(const sys::Credentials& who) {
  return who.pid > 0 ? absl::StrCat("process ", who.pid) : "a process of another container";
}

Peer PeerOf(const sys::Credentials& who, std::string description) {
  Peer peer;
  peer.description = std::move(description);
  peer.pid = who.pid;
  peer.uid = who.uid;
  peer.gid = who.gid == static_cast<gid_t>(-1) ? -1 : static_cast<int64_t>(who.gid);
  return peer;
}

// Why nobody listens at a path.
absl::Status NobodyAt(const SocketName& name, int error) {
  const std::string& address = name.address;
  struct stat there;
  absl::StatusOr<Place> place = Place::Find(name.scheme, name.name);
  if (!place.ok()) return place.status();
  if (sys::Stat(name.name, there) != 0) {
    return absl::UnavailableError(absl::StrCat(address, ": no such file"));
  }
  if (!S_ISSOCK(there.st_mode)) {
    return absl::UnavailableError(absl::StrCat(address, ": ", KindOfFile(there), ", not a socket"));
  }
  if (error == EPROTOTYPE) {
    return absl::UnavailableError(absl::StrCat(address, ": a socket, but not a stream socket"));
  }
  return absl::UnavailableError(absl::StrCat(
      address, ": nobody listens (the socket is left over from a server that has ended)"));
}

absl::Status CannotConnect(const SocketName& name, int error) {
  const std::string& address = name.address;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case EPROTOTYPE:
      if (name.has_path()) return NobodyAt(name, error);
      return absl::UnavailableError(absl::StrCat(address, ": nobody listens"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          absl::StrCat(address, ": user ", geteuid(), " may not connect to it"));
    default:
      errno = error;
      return Failed(address, "connect");
  }
}

// The socket does not block: a backlog that is full answers EAGAIN, and nothing tells when
// it no longer is.
absl::Status Reach(const SocketName& name, int socket, Deadline deadline) {
  for (absl::Duration pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    if (sys::Connect(socket, name.name) == 0) return absl::OkStatus();
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return CannotConnect(name, errno);
    if (HasPassed(deadline)) {
      return absl::DeadlineExceededError(absl::StrCat(
          name.address, ": the server has not accepted the connections that wait for it"));
    }
    sys::Poll(nullptr, 0, std::min(deadline, DeadlineAfter(pause)));
  }
}

}  // namespace

absl::StatusOr<SocketName> SocketName::OfPath(const char* scheme, const std::string& path) {
  std::string address = absl::StrCat(scheme, path);
  absl::Status fits = CheckLength(address, "path", path.size(), kMaxName);
  if (!fits.ok()) return fits;
  if (path.empty() || path.find('\0') != path.npos) return Place::Find(scheme, path).status();
  return SocketName{std::move(address), scheme, path};
}

absl::StatusOr<SocketName> SocketName::Abstract(const char* scheme, const char* prefix,
                                                const std::string& name) {
  if (name.empty() || name.find('\0') != name.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(scheme, name.c_str(),
                     name.empty() ? absl::StrCat(": expected ", scheme, "NAME")
                                  : "...: a name cannot have a NUL byte (%00)"));
  }
  std::string address = absl::StrCat(scheme, name);
  std::string whole = absl::StrCat(prefix, name);
  absl::Status fits = CheckLength(address, "name", whole.size(), kMaxName);
  if (!fits.ok()) return fits;
  return SocketName{std::move(address), scheme, std::string(1, '\0') + whole};
}

absl::StatusOr<LocalSocketListener> LocalSocketListener::Listen(const SocketName& name) {
  const std::string& address = name.address;
  std::unique_ptr<OwnedName> owned;
  std::string to_bind = name.name;
  if (name.has_path()) {
    absl::Status fits = CheckLength(address, "path", name.name.size(), kMaxServedPath);
    if (!fits.ok()) return fits;
    absl::StatusOr<Place> place = Place::FindToServe(name.scheme, name.name);
    if (!place.ok()) return place.status();
    absl::StatusOr<std::unique_ptr<OwnedName>> taken = OwnedName::Take(*std::move(place));
    if (!taken.ok()) return taken.status();
    owned = *std::move(taken);
    to_bind = owned->path_to_bind();
  }
  UniqueFd socket(sys::UnixSocket());
  if (!socket.valid()) return Failed(address, "socket");
  if (sys::Bind(socket.get(), to_bind) != 0) {
    if (errno != EADDRINUSE) return Failed(address, "bind");
    return absl::AlreadyExistsError(absl::StrCat(address, " is served already"));
  }
  if (sys::Listen(socket.get(), kBacklog) != 0) return Failed(address, "listen");
  if (owned != nullptr) {
    if (absl::Status published = owned->Publish(); !published.ok()) return published;
  }
  return LocalSocketListener(address, std::move(socket), std::move(owned));
}

absl::StatusOr<std::optional<LocalSocket>> LocalSocketListener::TryAccept() {
  if (fork_mark_.IsForked()) return ForkMark::Refuse(address_.c_str());
  UniqueFd socket(sys::Accept(socket_.get()));
  if (socket.valid()) {
    sys::Credentials who;
    if (sys::PeerCredentials(socket.get(), who) != 0) return std::nullopt;  // nobody to let in
    return LocalSocket{std::move(socket), PeerOf(who, absl::StrCat(ProcessName(who), " (uid ",
                                                                   who.uid, ") at ", address_))};
  }
  switch (errno) {
    case EAGAIN:
    case ECONNABORTED:
    case EINTR:
      return std::nullopt;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
      return Failed(address_, "accept");
    default:  // who knows how long, such as EPERM of a security module
      return absl::ResourceExhaustedError(Failed(address_, "accept").message());
  }
}

absl::StatusOr<LocalSocket> ConnectLocalSocket(const SocketName& name, Deadline deadline) {
  UniqueFd socket(sys::UnixSocket());
  if (!socket.valid()) return Failed(name.address, "socket");
  absl::Status reached = Reach(name, socket.get(), deadline);
  if (!reached.ok()) return reached;
  if (sys::SetBlocking(socket.get()) != 0) return Failed(name.address, "fcntl");
  sys::Credentials who;
  if (sys::PeerCredentials(socket.get(), who) != 0) return Failed(name.address, "SO_PEERCRED");
  return LocalSocket{std::move(socket), PeerOf(who, absl::StrCat("the server of ", name.address,
                                                                 " (", ProcessName(who), ")"))};
}

}  // namespace ferry::internal
