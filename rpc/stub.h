// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What generated stubs are made of.

#ifndef FERRY_RPC_STUB_H_
#define FERRY_RPC_STUB_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/callback.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/client_reactor.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

inline absl::Status CallUnary(const Channel& channel, const Method& method,
                              const google::protobuf::MessageLite& request,
                              google::protobuf::MessageLite& reply, const CallOptions& options) {
  return channel.Call(method, request, reply, options);
}

template <typename Reply>
absl::StatusOr<Reply> CallUnary(const Channel& channel, const Method& method,
                                const google::protobuf::MessageLite& request,
                                const CallOptions& options) {
  absl::StatusOr<Reply> reply;
  absl::Status status = channel.Call(method, request, reply.emplace(), options);
  if (!status.ok()) reply = std::move(status);
  return reply;
}

inline void CallUnary(const Channel& channel, const Method& method,
                      const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite& reply, Callback done,
                      const CallOptions& options) {
  channel.Call(method, request, reply, std::move(done), options);
}

template <typename Reply>
void CallUnary(const Channel& channel, const Method& method,
               const google::protobuf::MessageLite& request, ReplyCallback<Reply> done,
               const CallOptions& options) {
  struct Both {
    Reply reply;
    ReplyCallback<Reply> done;
  };
  auto both = std::make_unique<Both>(Both{Reply(), std::move(done)});
  Reply& reply = both->reply;
  channel.Call(
      method, request, reply,
      [both = std::move(both)](absl::Status status) {
        if (status.ok()) return both->done(std::move(both->reply));
        both->done(std::move(status));
      },
      options);
}

template <typename Request, typename Reply>
ClientReader<Reply> CallServerStream(const Channel& channel, const Method& method,
                                     const Request& request, const CallOptions& options) {
  return ClientReader<Reply>(channel.OpenStream(method, &request, nullptr, options));
}

template <typename Request, typename Reply>
ClientWriter<Request> CallClientStream(const Channel& channel, const Method& method, Reply& reply,
                                       const CallOptions& options) {
  return ClientWriter<Request>(channel.OpenStream(method, nullptr, &reply, options));
}

template <typename Request, typename Reply>
ClientReaderWriter<Request, Reply> CallTwoWayStream(const Channel& channel, const Method& method,
                                                    const CallOptions& options) {
  return ClientReaderWriter<Request, Reply>(channel.OpenStream(method, nullptr, nullptr, options));
}

// With reactors, which outlive the call.

template <typename Request, typename Reply>
void CallServerStream(const Channel& channel, const Method& method, const Request& request,
                      ClientReadReactor<Reply>& reactor, const CallOptions& options) {
  channel.OpenStream(method, &request, nullptr, reactor, options);
}

template <typename Request, typename Reply>
void CallClientStream(const Channel& channel, const Method& method,
                      ClientWriteReactor<Request, Reply>& reactor, const CallOptions& options) {
  channel.OpenStream(method, nullptr, &reactor.reply(), reactor, options);
}

template <typename Request, typename Reply>
void CallTwoWayStream(const Channel& channel, const Method& method,
                      ClientBidiReactor<Request, Reply>& reactor, const CallOptions& options) {
  channel.OpenStream(method, nullptr, nullptr, reactor, options);
}

inline absl::Status CallOneWay(const Channel& channel, const Method& method,
                               const google::protobuf::MessageLite& request,
                               const CallOptions& options) {
  return channel.SendOneWay(method, request, options);
}

}  // namespace ferry::internal

#endif  // FERRY_RPC_STUB_H_
