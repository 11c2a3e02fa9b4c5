// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/channel.h"

#include <algorithm>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/config.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/transport/endpoint.h"

namespace ferry {
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

// How long Connect pauses before it looks again whether somebody serves.
constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

absl::StatusOr<Channel> ConnectOnce(const Address& address, const ChannelOptions& options) {
  Deadline deadline = DeadlineAfter(options.handshake_timeout);
  absl::StatusOr<std::unique_ptr<Transport>> transport = ConnectTransport(address, deadline);
  if (!transport.ok()) return transport.status();
  return internal::OpenChannel(*std::move(transport), options, deadline);
}

// A child is there once it is started, and who has started this process before that.
bool MayComeLater(const Address& address) {
  return address.scheme != "exec" && address.scheme != "stdio";
}

absl::Status NotReady(const absl::Status& last, absl::Duration waited) {
  return absl::UnavailableError(
      absl::StrCat(last.message(), " (waited ", absl::FormatDuration(waited), " for it)"));
}

}  // namespace

const Peer& Channel::peer() const { return connection_->peer(); }

void Channel::Close() const { connection_->Close(absl::CancelledError("the channel was closed")); }

absl::Status Channel::Call(const Method& method, const google::protobuf::MessageLite& request,
                           google::protobuf::MessageLite& reply, const CallOptions& options) const {
  Deadline deadline =
      options.timeout == absl::InfiniteDuration() ? kNoDeadline : DeadlineAfter(options.timeout);
  return connection_->Call(method, request, reply, deadline);
}

absl::StatusOr<Channel> Connect(std::string_view address, const ChannelOptions& given) {
  absl::StatusOr<Address> parsed = internal::ResolveAddress(address, given.config_file);
  if (!parsed.ok()) return parsed.status();
  ChannelOptions options = given;
  internal::Apply(*parsed, options);
  Deadline ready = DeadlineAfter(options.wait_for_ready);
  absl::Duration pause = kFirstPause;
  for (;;) {
    absl::StatusOr<Channel> channel = ConnectOnce(*parsed, options);
    if (!absl::IsUnavailable(channel.status()) || !MayComeLater(*parsed)) return channel;
    if (options.wait_for_ready <= absl::ZeroDuration()) return channel;
    if (HasPassed(ready)) return NotReady(channel.status(), options.wait_for_ready);
    std::this_thread::sleep_until(std::min(ready, DeadlineAfter(pause)));
    pause = std::min(2 * pause, kLongestPause);
  }
}

namespace internal {

absl::StatusOr<Channel> OpenChannel(std::unique_ptr<Transport> transport,
                                    const ChannelOptions& options, Deadline deadline) {
  const PeerPolicy& admit = options.admit ? options.admit : AdmitOwnUserAndRoot;
  if (absl::Status admitted = admit(transport->peer()); !admitted.ok()) {
    return absl::Status(admitted.code(),
                        absl::StrCat(transport->peer().description, ": ", admitted.message()));
  }
  auto connection = std::make_shared<Connection>(std::move(transport), Connection::Side::kConnected,
                                                 options.max_message, nullptr);
  absl::Status greeted = connection->AwaitHello(deadline);
  if (!greeted.ok()) {
    return NoHandshake(greeted, connection->peer().description, options.handshake_timeout);
  }
  return Channel(std::move(connection));
}

}  // namespace internal
}  // namespace ferry
