// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/interceptor.h"

namespace ferry {

absl::Status ServerInterceptor::OnCall(ServerContext&, void*&) { return absl::OkStatus(); }
void ServerInterceptor::OnAnswer(ServerContext&, void*, absl::Status&) {}

absl::Status ClientInterceptor::OnCall(const Method&, CallOptions&, void*&) {
  return absl::OkStatus();
}
void ClientInterceptor::OnEnd(const Method&, void*, absl::Status&) {}

}  // namespace ferry
