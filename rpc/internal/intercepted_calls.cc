// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How a channel makes calls that interceptors see.

#include <memory>
#include <utility>

#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/intercepted.h"
#include "ferry/rpc/internal/intercepted_reactor.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

absl::Status ChannelBase::Call(const Method& method, const MessageLite& request, MessageLite& reply,
                               const CallOptions& options) {
  if (interceptors_.empty()) return CallUnseen(method, request, reply, options);
  Intercepted seen(interceptors_, method, options);
  absl::Status status = seen.Begin();
  if (status.ok()) status = CallUnseen(method, request, reply, seen.options());
  return seen.End(std::move(status));
}

absl::Status ChannelBase::SendOneWay(const Method& method, const MessageLite& request,
                                     const CallOptions& options) {
  if (interceptors_.empty()) return SendUnseen(method, request, options);
  Intercepted seen(interceptors_, method, options);
  absl::Status status = seen.Begin();
  if (status.ok()) status = SendUnseen(method, request, seen.options());
  return seen.End(std::move(status));
}

std::unique_ptr<ClientStream> ChannelBase::OpenStream(const Method& method,
                                                      const MessageLite* request,
                                                      MessageLite* reply,
                                                      const CallOptions& options) {
  if (interceptors_.empty()) return OpenUnseen(method, request, reply, options, absl::OkStatus());
  Intercepted seen(interceptors_, method, options);
  absl::Status may = seen.Begin();
  auto stream = OpenUnseen(method, request, reply, seen.options(), may);
  return std::make_unique<InterceptedStream>(std::move(seen), std::move(stream));
}

void ChannelBase::CallAsync(const Method& method, const MessageLite& request, MessageLite& reply,
                            Callback done, const CallOptions& options) {
  if (interceptors_.empty()) {
    return CallUnseen(method, request, reply, std::move(done), options, absl::OkStatus());
  }
  auto seen = std::make_unique<Intercepted>(interceptors_, method, options);
  absl::Status may = seen->Begin();
  const CallOptions& changed = seen->options();
  auto tell = [seen = std::move(seen), done = std::move(done)](absl::Status status) mutable {
    done(seen->End(std::move(status)));
  };
  CallUnseen(method, request, reply, std::move(tell), changed, may);
}

void ChannelBase::OpenAsync(const Method& method, const MessageLite* request, MessageLite* reply,
                            StreamReactor& reactor, const CallOptions& options) {
  if (interceptors_.empty()) {
    return OpenUnseen(method, request, reply, reactor, options, absl::OkStatus());
  }
  auto* seen = new InterceptedReactor(Intercepted(interceptors_, method, options), reactor);
  absl::Status may = seen->seen().Begin();
  OpenUnseen(method, request, reply, *seen, seen->seen().options(), may);
}

}  // namespace ferry::internal
