// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/shm.h"

#include <optional>
#include <utility>

#include "ferry/transport/internal/local_socket.h"
#include "ferry/transport/internal/ring_socket.h"
#include "ferry/transport/shm_transport.h"

namespace ferry {

using internal::LocalSocket;
using internal::LocalSocketListener;
using internal::SocketName;

namespace {

constexpr char kScheme[] = "shm:";

absl::StatusOr<SocketName> NameOf(const std::string& name) {
  if (name.find('/') != name.npos) return SocketName::OfPath(kScheme, name);
  return SocketName::Abstract(kScheme, "ferry-shm:", name);
}

// Thread contract: that of Listener.
class ShmListener final : public Listener {
 public:
  ShmListener(LocalSocketListener listener, const ShmOptions& options,
              ShmTransport::Outgoing outgoing)
      : listener_(std::move(listener)), options_(options), next_(std::move(outgoing)) {}

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override {
    if (absl::Status prepared = Prepare(); !prepared.ok()) return prepared;
    absl::StatusOr<std::optional<LocalSocket>> accepted = listener_.TryAccept();
    if (!accepted.ok()) return accepted.status();
    if (!accepted->has_value()) return nullptr;
    LocalSocket& socket = **accepted;
    // First, because memory that is under way to a peer counts as this user's, and a peer may
    // leave it so.
    absl::Status admitted = admit_ ? admit_(socket.peer) : absl::OkStatus();
    if (!admitted.ok()) {
      internal::RingSocket::Refuse(socket.fd, admitted);
      return nullptr;
    }
    absl::StatusOr<std::unique_ptr<ShmTransport>> transport =
        ShmTransport::Create(std::move(socket.fd), *std::exchange(next_, std::nullopt), options_,
                             std::move(socket.peer), nullptr);
    Prepare().IgnoreError();  // if it cannot be now, then before the next is let in
    if (!transport.ok()) return absl::ResourceExhaustedError(transport.status().message());
    return *std::move(transport);
  }

  bool AdmitBy(const PeerPolicy& admit) override {
    admit_ = admit;
    return true;
  }
  int wait_handle() const override { return listener_.wait_handle(); }

 private:
  absl::Status Prepare() {
    if (next_.has_value()) return absl::OkStatus();
    absl::StatusOr<ShmTransport::Outgoing> made = ShmTransport::MakeOutgoing(options_);
    if (!made.ok()) return absl::ResourceExhaustedError(made.status().message());
    next_ = *std::move(made);
    return absl::OkStatus();
  }

  LocalSocketListener listener_;
  const ShmOptions options_;
  PeerPolicy admit_;
  // For who comes next: nobody is let in for whom there is no memory.
  std::optional<ShmTransport::Outgoing> next_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenShm(const std::string& name,
                                                    const ShmOptions& options) {
  absl::StatusOr<SocketName> socket_name = NameOf(name);
  if (!socket_name.ok()) return socket_name.status();
  absl::StatusOr<ShmTransport::Outgoing> outgoing = ShmTransport::MakeOutgoing(options);
  if (!outgoing.ok()) return outgoing.status();
  absl::StatusOr<LocalSocketListener> listener = LocalSocketListener::Listen(*socket_name);
  if (!listener.ok()) return listener.status();
  return std::make_unique<ShmListener>(*std::move(listener), options, *std::move(outgoing));
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectShm(const std::string& name,
                                                      const ShmOptions& options,
                                                      Deadline deadline) {
  absl::StatusOr<SocketName> socket_name = NameOf(name);
  if (!socket_name.ok()) return socket_name.status();
  absl::StatusOr<ShmTransport::Outgoing> outgoing = ShmTransport::MakeOutgoing(options);
  if (!outgoing.ok()) return outgoing.status();
  absl::StatusOr<LocalSocket> socket = internal::ConnectLocalSocket(*socket_name, deadline);
  if (!socket.ok()) return socket.status();
  return ShmTransport::Create(std::move(socket->fd), *std::move(outgoing), options,
                              std::move(socket->peer), nullptr);
}

}  // namespace ferry
