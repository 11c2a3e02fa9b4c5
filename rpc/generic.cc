// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/generic.h"

#include "absl/strings/str_cat.h"

namespace ferry {
namespace {

internal::ServeFunction ServeFunctionOf(CallShape shape) {
  using S = GenericService;
  using M = RawMessage;
  switch (shape) {
    case CallShape::kUnary:
      return internal::ServeUnary<S, M, M, &S::Unary>;
    case CallShape::kServerStream:
      return internal::ServeServerStream<S, M, M, &S::ServerStream>;
    case CallShape::kClientStream:
      return internal::ServeClientStream<S, M, M, &S::ClientStream>;
    case CallShape::kTwoWayStream:
      return internal::ServeTwoWayStream<S, M, M, &S::TwoWayStream>;
    case CallShape::kOneWay:
      break;
  }
  return internal::ServeOneWay<S, M, &S::OneWay>;
}

}  // namespace

GenericMethod::GenericMethod(uint64_t id, CallShape shape)
    : full_name_(absl::StrCat("method 0x", absl::Hex(id, absl::kZeroPad16))),
      method_(full_name_, shape, Execution::kInline) {
  method_.id = id;
}

GenericService::GenericService(const std::vector<const GenericMethod*>& methods) {
  for (const GenericMethod* each : methods) {
    methods_.push_back({&each->method(), ServeFunctionOf(each->method().shape)});
  }
}

absl::Status GenericService::Unary(ServerContext& context, const RawMessage&, RawMessage&) {
  return internal::Unimplemented(context.method());
}
absl::Status GenericService::ServerStream(ServerContext& context, const RawMessage&,
                                          ServerWriter<RawMessage>&) {
  return internal::Unimplemented(context.method());
}
absl::Status GenericService::ClientStream(ServerContext& context, ServerReader<RawMessage>&,
                                          RawMessage&) {
  return internal::Unimplemented(context.method());
}
absl::Status GenericService::TwoWayStream(ServerContext& context,
                                          ServerReaderWriter<RawMessage, RawMessage>&) {
  return internal::Unimplemented(context.method());
}
absl::Status GenericService::OneWay(ServerContext& context, const RawMessage&) {
  return internal::Unimplemented(context.method());
}

}  // namespace ferry
