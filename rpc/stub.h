// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What generated stubs are made of.

#ifndef FERRY_RPC_STUB_H_
#define FERRY_RPC_STUB_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
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

}  // namespace ferry::internal

#endif  // FERRY_RPC_STUB_H_
