// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/channel.h"

#include <utility>

#include "ferry/rpc/internal/channel_core.h"
#include "ferry/rpc/internal/config.h"

namespace ferry {
namespace {

using internal::ChannelCore;

// A handle: the channel ends with the last of them, though its thread may hold the core.
Channel HandleOn(const std::shared_ptr<ChannelCore>& core) {
  return Channel(
      std::shared_ptr<internal::ChannelBase>(core.get(), [core](auto*) { core->Abandon(); }));
}

}  // namespace

Peer Channel::peer() const { return core_->peer(); }

void Channel::Close() const { core_->Close(); }

int Channel::wait_handle() const { return core_->wait_handle(); }
void Channel::Dispatch() const { core_->Dispatch(); }

absl::Status Channel::Call(const Method& method, const google::protobuf::MessageLite& request,
                           google::protobuf::MessageLite& reply, const CallOptions& options) const {
  return core_->Call(method, request, reply, options);
}

void Channel::Call(const Method& method, const google::protobuf::MessageLite& request,
                   google::protobuf::MessageLite& reply, Callback done,
                   const CallOptions& options) const {
  core_->CallAsync(method, request, reply, std::move(done), options);
}

std::unique_ptr<internal::ClientStream> Channel::OpenStream(
    const Method& method, const google::protobuf::MessageLite* request,
    google::protobuf::MessageLite* reply, const CallOptions& options) const {
  return core_->OpenStream(method, request, reply, options);
}

void Channel::OpenStream(const Method& method, const google::protobuf::MessageLite* request,
                         google::protobuf::MessageLite* reply, internal::StreamReactor& reactor,
                         const CallOptions& options) const {
  core_->OpenAsync(method, request, reply, reactor, options);
}

absl::Status Channel::SendOneWay(const Method& method, const google::protobuf::MessageLite& request,
                                 const CallOptions& options) const {
  return core_->SendOneWay(method, request, options);
}

absl::StatusOr<Channel> Connect(std::string_view address, const ChannelOptions& options) {
  absl::StatusOr<Address> parsed = internal::ResolveAddress(address, options.config_file);
  if (!parsed.ok()) return parsed.status();
  ChannelOptions applied = options;
  internal::Apply(*parsed, applied);
  auto core = std::make_shared<ChannelCore>(*std::move(parsed), applied);
  if (absl::Status connected = core->Connect(); !connected.ok()) return connected;
  return HandleOn(core);
}

namespace internal {

absl::StatusOr<Channel> OpenChannel(std::unique_ptr<Transport> transport,
                                    const ChannelOptions& options, Deadline deadline) {
  auto core = std::make_shared<ChannelCore>(std::nullopt, options);
  absl::Status adopted = core->Adopt(std::move(transport), deadline);
  if (!adopted.ok()) return adopted;
  return HandleOn(core);
}

}  // namespace internal
}  // namespace ferry
