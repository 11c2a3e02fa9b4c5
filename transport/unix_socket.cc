// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/unix_socket.h"

#include <optional>
#include <utility>

#include "ferry/transport/internal/local_socket.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::LocalSocket;
using internal::LocalSocketListener;
using internal::SocketName;

namespace {

constexpr char kPathScheme[] = "unix:";
constexpr char kAbstractScheme[] = "unix-abstract:";

std::unique_ptr<Transport> Over(LocalSocket socket) {
  internal::sys::RefuseDescriptors(socket.fd.get());
  return StreamTransport::OnSocket(std::move(socket.fd), std::move(socket.peer), nullptr);
}

// Thread contract: that of Listener.
class UnixListener final : public Listener {
 public:
  explicit UnixListener(LocalSocketListener listener) : listener_(std::move(listener)) {}

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override {
    absl::StatusOr<std::optional<LocalSocket>> accepted = listener_.TryAccept();
    if (!accepted.ok()) return accepted.status();
    if (!accepted->has_value()) return nullptr;
    return Over(**std::move(accepted));
  }
  int wait_handle() const override { return listener_.wait_handle(); }

 private:
  LocalSocketListener listener_;
};

absl::StatusOr<std::unique_ptr<Listener>> ListenAt(const absl::StatusOr<SocketName>& name) {
  if (!name.ok()) return name.status();
  absl::StatusOr<LocalSocketListener> listener = LocalSocketListener::Listen(*name);
  if (!listener.ok()) return listener.status();
  return std::make_unique<UnixListener>(*std::move(listener));
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectAt(const absl::StatusOr<SocketName>& name,
                                                     Deadline deadline) {
  if (!name.ok()) return name.status();
  absl::StatusOr<LocalSocket> socket = ConnectLocalSocket(*name, deadline);
  if (!socket.ok()) return socket.status();
  return Over(*std::move(socket));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenUnix(const std::string& path) {
  return ListenAt(SocketName::OfPath(kPathScheme, path));
}

absl::StatusOr<std::unique_ptr<Listener>> ListenUnixAbstract(const std::string& name) {
  return ListenAt(SocketName::Abstract(kAbstractScheme, "", name));
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectUnix(const std::string& path, Deadline deadline) {
  return ConnectAt(SocketName::OfPath(kPathScheme, path), deadline);
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectUnixAbstract(const std::string& name,
                                                               Deadline deadline) {
  return ConnectAt(SocketName::Abstract(kAbstractScheme, "", name), deadline);
}

}  // namespace ferry
