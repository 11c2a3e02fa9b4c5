// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What generated stubs are made of.

#ifndef FERRY_RPC_STUB_H_
#define FERRY_RPC_STUB_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
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

inline absl::Status CallOneWay(const Channel& channel, const Method& method,
                               const google::protobuf::MessageLite& request,
                               const CallOptions& options) {
  return channel.SendOneWay(method, request, options);
}

}  // namespace ferry::internal

#endif  // FERRY_RPC_STUB_H_
