// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/connector.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/endpoint.h"

namespace ferry::internal {
namespace {

// Says what the peer should have been: the usual reason for a failed handshake is that
// it is some other program.
absl::Status NoHandshake(const absl::Status& status, const std::string& peer,
                         absl::Duration timeout) {
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return absl::DeadlineExceededError(
          absl::StrCat(peer, " did not answer within ", absl::FormatDuration(timeout),
                       "; is it a program that serves a ferry address, such as parent:?"));
    case absl::StatusCode::kUnavailable:
      return absl::UnavailableError(absl::StrCat(
          status.message(),
          " (before it answered; is it a program that serves a ferry address, such as parent:?)"));
    default:
      return absl::Status(status.code(), absl::StrCat(peer, ": ", status.message()));
  }
}

}  // namespace

absl::StatusOr<ConnectionToPeer> ConnectTo(const Address& address, const ChannelOptions& options,
                                           Deadline deadline, const std::shared_ptr<Mutex>& mutex,
                                           ChannelServer* server) {
  std::shared_ptr<ChildProcess> child;
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      ConnectTransport(address, deadline, &child);
  if (!transport.ok()) return transport.status();
  absl::StatusOr<ConnectionToPeer> made =
      GreetOn(*std::move(transport), options, deadline, mutex, server);
  if (made.ok()) made->child = std::move(child);
  return made;
}

absl::StatusOr<ConnectionToPeer> GreetOn(std::unique_ptr<Transport> transport,
                                         const ChannelOptions& options, Deadline deadline,
                                         const std::shared_ptr<Mutex>& mutex,
                                         ChannelServer* server) {
  const PeerPolicy& admit = options.admit ? options.admit : AdmitOwnUserAndRoot;
  if (absl::Status admitted = admit(transport->peer()); !admitted.ok()) {
    return absl::Status(admitted.code(),
                        absl::StrCat(transport->peer().description, ": ", admitted.message()));
  }
  ConnectionOptions settings;
  settings.max_message = options.max_message;
  settings.stream_credit = options.stream_credit;
  settings.keepalive = options.keepalive;
  settings.looks_after_pause = options.reconnect != Reconnect::kNever;
  std::shared_ptr<Session> session;
  std::shared_ptr<Connection> connection;
  if (server != nullptr) {
    session = server->Open(std::move(transport), settings, mutex);
    connection = std::shared_ptr<Connection>(session, &session->connection());
  } else {
    connection = std::make_shared<Connection>(std::move(transport), Connection::Side::kConnected,
                                              settings, nullptr, mutex.get());
  }
  absl::Status greeted = connection->AwaitHello(deadline);
  if (!greeted.ok()) {
    return NoHandshake(greeted, connection->peer().description, options.handshake_timeout);
  }
  if (server != nullptr) {
    if (absl::Status started = server->Start(session); !started.ok()) return started;
  }
  return ConnectionToPeer{std::move(connection), nullptr};
}

}  // namespace ferry::internal
