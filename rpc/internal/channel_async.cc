// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How a channel makes calls that no thread waits for.

#include <memory>
#include <optional>
#include <utility>

#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/internal/async_call.h"
#include "ferry/rpc/internal/async_stream.h"
#include "ferry/rpc/internal/call_setting.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/own_status.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

namespace {

bool WasNotSent(const absl::Status& status) {
  std::optional<CallFailure> failure = CallFailureOf(status);
  return failure.has_value() && failure->delivery == CallFailure::Delivery::kNotSent;
}

// Cancels another one.
class PassOnCancel final : public CancelTarget {
 public:
  explicit PassOnCancel(Cancellation& to) : to_(to) {}
  void OnCancel() override { to_.Cancel(); }

 private:
  Cancellation& to_;
};

std::unique_ptr<MessageLite> CopyOf(const MessageLite& message) {
  std::unique_ptr<MessageLite> copy(message.New());
  copy->CheckTypeAndMergeFrom(message);
  return copy;
}

}  // namespace

absl::Status ChannelBase::PrepareAsync(Setting& setting, const absl::Status& may) const {
  absl::Status ready = may.ok() ? MayCallAsync() : may;
  return ready.ok() ? Prepare(setting) : Setting::NotSent(setting.method, ready);
}

bool ChannelBase::TryAsync(Setting& setting, const MessageLite& request, MessageLite& reply,
                           Callback& done) {
  AsyncCall& call = AsyncCall::New(*this, setting.method, request, reply, done);
  setting.ApplyTo(call.pending());
  call.pending().deadline = setting.deadline;
  std::shared_ptr<void> hold;
  Caller* caller = Begin(call.pending(), hold);
  if (caller == nullptr) {
    done = call.Drop();
    return false;
  }
  call.Start(*caller, std::move(hold), setting.options.cancellation);
  return true;
}

void ChannelBase::CallUnseen(const Method& method, const MessageLite& request, MessageLite& reply,
                             Callback&& done, const CallOptions& options, const absl::Status& may) {
  Setting setting(method, options);
  absl::Status ready = PrepareAsync(setting, may);
  if (!ready.ok()) {
    return RunOnPool(
        [done = std::move(done), why = OwnCopy(ready)]() mutable { done(std::move(why)); });
  }
  if (!options.wait_for_ready && TryAsync(setting, request, reply, done)) return;
  auto call = std::make_shared<PatientCall>(method, request, reply, std::move(done), options,
                                            setting.deadline);
  if (options.wait_for_ready && TryPatiently(setting, call)) return;
  // To connect may take long.
  RunToConnect([self = shared_from_this(), call] { self->ConnectAndCall(call); });
}

// An asynchronous call that waits for a connection, or may have to.
struct ChannelBase::PatientCall {
  PatientCall(const Method& called, const MessageLite& request_message, MessageLite& reply_message,
              Callback callback, const CallOptions& call_options, Deadline call_deadline)
      : method(called),
        request(CopyOf(request_message)),
        reply(reply_message),
        done(std::move(callback)),
        options(call_options),
        deadline(call_deadline) {}

  const Method& method;
  const std::unique_ptr<MessageLite> request;
  MessageLite& reply;
  Callback done;
  const CallOptions options;
  const Deadline deadline;
  int connections = 0;  // that have turned it away
};

// As TryAsync. One that is turned away connects again.
bool ChannelBase::TryPatiently(Setting& setting, const std::shared_ptr<PatientCall>& call) {
  Callback done = [weak = weak_from_this(), call](absl::Status status) {
    std::shared_ptr<ChannelBase> self;
    if (absl::IsUnavailable(status) && call->options.wait_for_ready && WasNotSent(status)) {
      self = weak.lock();  // null: its last handle has gone
    }
    if (self == nullptr || ++call->connections == self->most_connections()) {
      return call->done(std::move(status));
    }
    self->RunToConnect([self, call] { self->ConnectAndCall(call); });
  };
  return TryAsync(setting, *call->request, call->reply, done);
}

void ChannelBase::ConnectAndCall(const std::shared_ptr<PatientCall>& call) {
  Setting setting(call->method, call->options);
  absl::Status ready = Prepare(setting);
  setting.deadline = call->deadline;
  setting.left = 0;
  while (ready.ok() && !TryPatiently(setting, call)) {
    ready = Recover({call->deadline, call->options.wait_for_ready, call->options.cancellation});
    if (!ready.ok()) ready = Setting::NotSent(call->method, ready);
  }
  if (!ready.ok()) call->done(ready);
}

bool ChannelBase::TryStart(Setting& setting, AsyncStream& stream) {
  setting.ApplyTo(stream.pending());
  stream.pending().deadline = setting.deadline;
  std::shared_ptr<void> hold;
  Caller* caller = Begin(stream.pending(), hold);
  if (caller == nullptr) return false;
  stream.Start(*caller, std::move(hold), setting.options.cancellation);
  return true;
}

void ChannelBase::OpenUnseen(const Method& method, const MessageLite* request, MessageLite* reply,
                             StreamReactor& reactor, const CallOptions& options,
                             const absl::Status& may) {
  Setting setting(method, options);
  absl::Status ready = PrepareAsync(setting, may);
  auto stream = AsyncStream::Create(*this, method, request, reply, stream_credit_, reactor);
  if (!ready.ok()) return RunOnPool([stream, why = OwnCopy(ready)] { stream->Fail(why); });
  if (TryStart(setting, *stream)) return;
  // To connect may take long.
  std::shared_ptr<const MessageLite> copy;
  if (request != nullptr) copy = CopyOf(*request);
  stream->set_request(copy);
  RunToConnect([self = shared_from_this(), stream, options, deadline = setting.deadline] {
    self->ConnectAndStart(*stream, options, deadline);
  });
}

void ChannelBase::ConnectAndStart(AsyncStream& stream, const CallOptions& options,
                                  Deadline deadline) {
  Setting setting(stream.pending().method, options);
  absl::Status ready = Prepare(setting);
  setting.deadline = deadline;
  setting.left = 0;
  while (ready.ok() && (stream.wait().IsCancelled() || !TryStart(setting, stream))) {
    PassOnCancel pass_on(stream.wait());
    CancelRegistration registration;  // not once it has started, and may end
    if (!registration.Begin(options.cancellation, pass_on)) stream.wait().Cancel();
    ready = Recover({deadline, options.wait_for_ready, &stream.wait()});
    if (ready.ok() && stream.wait().IsCancelled())
      ready = absl::CancelledError("the caller cancelled it");
    if (!ready.ok()) ready = Setting::NotSent(setting.method, ready);
  }
  if (!ready.ok()) stream.Fail(ready);
}

}  // namespace ferry::internal
