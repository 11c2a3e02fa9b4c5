// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALL_SETTING_H_
#define FERRY_RPC_INTERNAL_CALL_SETTING_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/method_name.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

// Thread contract: thread-compatible; what is given by reference outlives it.
struct ChannelBase::Setting {
  Setting(const Method& called, const CallOptions& call_options)
      : method(called), options(call_options) {}

  void ApplyTo(PendingCall& call) const {
    call.left_at_begin = left;
    call.initial_metadata = options.initial_metadata;
    call.trailing_metadata = options.trailing_metadata;
    if (!metadata.has_value()) return;
    call.metadata = &*metadata;
    call.metadata_size = metadata->ByteSizeLong();
  }

  // The status of a call that ends before it is sent.
  static absl::Status NotSent(const Method& method, const absl::Status& why) {
    absl::Status named(why.code(), absl::StrCat(NameOf(method), ": ", why.message()));
    return WithFailure(std::move(named),
                       {CallFailure::Origin::kHere, CallFailure::Delivery::kNotSent});
  }

  const Method& method;
  const CallOptions& options;
  Deadline deadline = kNoDeadline;
  uint32_t left = 0;  // microseconds until then, from just now; 0: not known
  std::optional<wire::Metadata> metadata;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALL_SETTING_H_
