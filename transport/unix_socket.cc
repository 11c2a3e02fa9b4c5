// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/unix_socket.h"

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/owned_name.h"
#include "ferry/transport/internal/place.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::OwnedName;
using internal::Place;
using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

constexpr char kPathScheme[] = "unix:";
constexpr char kAbstractScheme[] = "unix-abstract:";

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

// As the system wants an abstract name.
absl::StatusOr<std::string> AbstractName(const std::string& name) {
  if (name.empty() || name.find('\0') != name.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(kAbstractScheme, name.c_str(),
                     name.empty() ? ": expected unix-abstract:NAME"
                                  : "...: a name cannot have a NUL byte (%00)"));
  }
  absl::Status fits =
      CheckLength(absl::StrCat(kAbstractScheme, name), "name", name.size(), kMaxName);
  if (!fits.ok()) return fits;
  return std::string(1, '\0') + name;
}

absl::Status Failed(const std::string& address, const char* what) {
  int error = errno;
  std::string text = absl::StrCat(address, ": ", what);
  if (!internal::IsShortage(error)) return absl::ErrnoToStatus(error, text);
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

// Thread contract: that of Listener.
class UnixListener final : public Listener {
 public:
  UnixListener(std::string address, UniqueFd socket, std::unique_ptr<OwnedName> name)
      : address_(std::move(address)), socket_(std::move(socket)), name_(std::move(name)) {}

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override;
  int wait_handle() const override { return socket_.get(); }

 private:
  const internal::ForkMark fork_mark_;
  const std::string address_;
  const UniqueFd socket_;
  const std::unique_ptr<OwnedName> name_;  // null for an abstract one; given up first
};

absl::StatusOr<std::unique_ptr<Transport>> UnixListener::TryAccept() {
  if (fork_mark_.IsForked()) return internal::ForkMark::Refuse(address_.c_str());
  UniqueFd socket(sys::Accept(socket_.get()));
  if (socket.valid()) {
    sys::Credentials who;
    if (sys::PeerCredentials(socket.get(), who) != 0) return nullptr;  // nobody to let in
    return StreamTransport::OnSocket(
        std::move(socket),
        PeerOf(who, absl::StrCat(ProcessName(who), " (uid ", who.uid, ") at ", address_)));
  }
  switch (errno) {
    case EAGAIN:
    case ECONNABORTED:
    case EINTR:
      return nullptr;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
      return Failed(address_, "accept");
    default:  // who knows how long, such as EPERM of a security module
      return absl::ResourceExhaustedError(Failed(address_, "accept").message());
  }
}

absl::StatusOr<std::unique_ptr<Listener>> ListenAt(const std::string& address,
                                                   const std::string& socket_name,
                                                   std::unique_ptr<OwnedName> name) {
  UniqueFd socket(sys::UnixSocket());
  if (!socket.valid()) return Failed(address, "socket");
  if (sys::Bind(socket.get(), socket_name) != 0) {
    if (errno != EADDRINUSE) return Failed(address, "bind");
    return absl::AlreadyExistsError(absl::StrCat(address, " is served already"));
  }
  if (sys::Listen(socket.get(), kBacklog) != 0) return Failed(address, "listen");
  if (name != nullptr) {
    if (absl::Status published = name->Publish(); !published.ok()) return published;
  }
  return std::make_unique<UnixListener>(address, std::move(socket), std::move(name));
}

// Why nobody listens at a path.
absl::Status NobodyAt(const std::string& path, int error) {
  const std::string address = absl::StrCat(kPathScheme, path);
  struct stat there;
  absl::StatusOr<Place> place = Place::Find(kPathScheme, path);
  if (!place.ok()) return place.status();
  if (sys::Stat(path, there) != 0) {
    return absl::UnavailableError(absl::StrCat(address, ": no such file"));
  }
  if (!S_ISSOCK(there.st_mode)) {
    return absl::UnavailableError(
        absl::StrCat(address, ": ", internal::KindOfFile(there), ", not a socket"));
  }
  if (error == EPROTOTYPE) {
    return absl::UnavailableError(absl::StrCat(address, ": a socket, but not a stream socket"));
  }
  return absl::UnavailableError(absl::StrCat(
      address, ": nobody listens (the socket is left over from a server that has ended)"));
}

absl::Status CannotConnect(const std::string& address, const std::string& socket_name, int error) {
  bool has_path = socket_name[0] != '\0';
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case EPROTOTYPE:
      if (has_path) return NobodyAt(socket_name, error);
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
absl::Status Reach(const std::string& address, const std::string& socket_name, int socket,
                   Deadline deadline) {
  for (absl::Duration pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    if (sys::Connect(socket, socket_name) == 0) return absl::OkStatus();
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return CannotConnect(address, socket_name, errno);
    if (HasPassed(deadline)) {
      return absl::DeadlineExceededError(
          absl::StrCat(address, ": the server has not accepted the connections that wait for it"));
    }
    sys::Poll(nullptr, 0, std::min(deadline, DeadlineAfter(pause)));
  }
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectAt(const std::string& address,
                                                     const std::string& socket_name,
                                                     Deadline deadline) {
  UniqueFd socket(sys::UnixSocket());
  if (!socket.valid()) return Failed(address, "socket");
  absl::Status reached = Reach(address, socket_name, socket.get(), deadline);
  if (!reached.ok()) return reached;
  if (sys::SetBlocking(socket.get()) != 0) return Failed(address, "fcntl");
  sys::Credentials who;
  if (sys::PeerCredentials(socket.get(), who) != 0) return Failed(address, "SO_PEERCRED");
  return StreamTransport::OnSocket(
      std::move(socket),
      PeerOf(who, absl::StrCat("the server of ", address, " (", ProcessName(who), ")")));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenUnix(const std::string& path) {
  const std::string address = absl::StrCat(kPathScheme, path);
  absl::Status fits = CheckLength(address, "path", path.size(), kMaxServedPath);
  if (!fits.ok()) return fits;
  absl::StatusOr<Place> place = Place::FindToServe(kPathScheme, path);
  if (!place.ok()) return place.status();
  absl::StatusOr<std::unique_ptr<OwnedName>> name = OwnedName::Take(*std::move(place));
  if (!name.ok()) return name.status();
  std::string path_to_bind = (*name)->path_to_bind();
  return ListenAt(address, path_to_bind, *std::move(name));
}

absl::StatusOr<std::unique_ptr<Listener>> ListenUnixAbstract(const std::string& name) {
  absl::StatusOr<std::string> socket_name = AbstractName(name);
  if (!socket_name.ok()) return socket_name.status();
  return ListenAt(absl::StrCat(kAbstractScheme, name), *socket_name, nullptr);
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectUnix(const std::string& path, Deadline deadline) {
  const std::string address = absl::StrCat(kPathScheme, path);
  absl::Status fits = CheckLength(address, "path", path.size(), kMaxName);
  if (!fits.ok()) return fits;
  if (path.empty() || path.find('\0') != path.npos) {
    return Place::Find(kPathScheme, path).status();
  }
  return ConnectAt(address, path, deadline);
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectUnixAbstract(const std::string& name,
                                                               Deadline deadline) {
  absl::StatusOr<std::string> socket_name = AbstractName(name);
  if (!socket_name.ok()) return socket_name.status();
  return ConnectAt(absl::StrCat(kAbstractScheme, name), *socket_name, deadline);
}

}  // namespace ferry
