// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How a channel makes calls.

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/optimization.h"
#include "ferry/rpc/internal/call_setting.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/metadata_codec.h"
#include "ferry/rpc/internal/stream_call.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

namespace {

uint32_t Microseconds(absl::Duration duration) {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(std::clamp<int64_t>(absl::ToInt64Microseconds(duration), 1, kMost));
}

// A call that waits on the stack of its thread.
class WaitingCall final : public CancelTarget {
 public:
  WaitingCall(Caller& caller, PendingCall& call) : caller_(caller), call_(call) {}

  // Before the call is left, the registration ends.
  void Register(Cancellation& cancellation) {
    call_.cancellation = &registration_;
    if (!registration_.Begin(&cancellation, *this)) OnCancel();
  }

  void OnCancel() override { caller_.Cancel(call_); }

 private:
  Caller& caller_;
  PendingCall& call_;
  CancelRegistration registration_;
};

}  // namespace

absl::Status ChannelBase::Prepare(Setting& setting) const {
  const CallOptions& options = setting.options;
  if (IsForked()) return Setting::NotSent(setting.method, ForkMark::Refuse("the channel"));
  if (options.timeout != absl::InfiniteDuration()) {
    setting.deadline = DeadlineAfter(options.timeout);
    if (setting.deadline != kNoDeadline) setting.left = Microseconds(options.timeout);
  }
  Deadline inherited = options.inherit_deadline ? Leadership::DeadlineOfHandler() : kNoDeadline;
  if (inherited < setting.deadline) {
    setting.deadline = inherited;
    setting.left = 0;
  }
  if (options.cancellation != nullptr && options.cancellation->IsCancelled()) {
    return Setting::NotSent(setting.method, absl::CancelledError("the caller cancelled it"));
  }
  if (options.metadata.empty()) return absl::OkStatus();
  absl::Status valid = options.metadata.Validate();
  if (!valid.ok()) return Setting::NotSent(setting.method, valid);
  setting.metadata = EncodeMetadata(options.metadata);
  return absl::OkStatus();
}

template <typename Try>
absl::Status ChannelBase::Run(Setting& setting, Try attempt) {
  std::shared_ptr<ChannelBase> self;  // once a sink is told, which may drop the last handle
  for (int connections = 0;;) {
    bool not_taken = false;
    std::optional<absl::Status> status = attempt(not_taken);
    setting.left = 0;  // it gets less meanwhile
    if (ABSL_PREDICT_FALSE(!status.has_value())) {
      self = shared_from_this();
      absl::Status recovered =
          Recover({setting.deadline, setting.options.wait_for_ready, setting.options.cancellation});
      if (!recovered.ok()) return Setting::NotSent(setting.method, recovered);
      continue;
    }
    if (ABSL_PREDICT_FALSE(!status->ok() || has_news())) {
      self = shared_from_this();
      AfterCall(*status);
    }
    if (!not_taken || ++connections == most_connections()) return *std::move(status);
  }
}

// A call that its thread waits for, to its end or until it is sent.
template <absl::Status (Caller::*kFinish)(PendingCall&, Deadline)>
absl::Status ChannelBase::CallAndWait(const Method& method, const MessageLite& request,
                                      MessageLite* reply, const CallOptions& options) {
  Setting setting(method, options);
  if (absl::Status prepared = Prepare(setting); !prepared.ok()) return prepared;
  size_t size = request.ByteSizeLong();
  return Run(setting, [&](bool& not_taken) -> std::optional<absl::Status> {
    PendingCall call(method, &request, size, reply);
    setting.ApplyTo(call);
    std::shared_ptr<void> hold;
    Caller* caller = Begin(call, hold);
    if (caller == nullptr) return std::nullopt;
    std::optional<WaitingCall> waiting;
    if (options.cancellation != nullptr) {
      waiting.emplace(*caller, call).Register(*options.cancellation);
    }
    absl::Status status = (caller->*kFinish)(call, setting.deadline);
    not_taken = call.not_taken;
    return status;
  });
}

absl::Status ChannelBase::CallUnseen(const Method& method, const MessageLite& request,
                                     MessageLite& reply, const CallOptions& options) {
  return CallAndWait<&Caller::Finish>(method, request, &reply, options);
}

absl::Status ChannelBase::SendUnseen(const Method& method, const MessageLite& request,
                                     const CallOptions& options) {
  return CallAndWait<&Caller::SendOnly>(method, request, nullptr, options);
}

std::unique_ptr<ClientStream> ChannelBase::OpenUnseen(const Method& method,
                                                      const MessageLite* request,
                                                      MessageLite* reply,
                                                      const CallOptions& options,
                                                      const absl::Status& may) {
  Setting setting(method, options);
  size_t size = request == nullptr ? 0 : request->ByteSizeLong();
  std::unique_ptr<StreamCall> stream;
  absl::Status opened = may.ok() ? Prepare(setting) : may;
  if (opened.ok()) {
    opened = Run(setting, [&](bool& not_taken) -> std::optional<absl::Status> {
      stream = std::make_unique<StreamCall>(shared_from_this(), method, request, size, reply,
                                            stream_credit_);
      setting.ApplyTo(stream->call());
      std::shared_ptr<void> hold;
      Caller* caller = Begin(stream->call(), hold);
      if (caller == nullptr) return std::nullopt;
      absl::Status started =
          stream->Start(*caller, std::move(hold), options.cancellation, setting.deadline);
      // Once it has started, the call is the stream's, and is not begun again.
      not_taken = !started.ok() && stream->call().not_taken;
      return started;
    });
  }
  if (stream == nullptr) {
    stream = std::make_unique<StreamCall>(shared_from_this(), method, request, size, reply,
                                          stream_credit_);
  }
  if (!opened.ok()) stream->Fail(opened);
  return stream;
}

}  // namespace ferry::internal
