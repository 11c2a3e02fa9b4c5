// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How a call ends, unless it is with a reply that the calling thread reads.

#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/method_name.h"
#include "ferry/rpc/internal/status_codec.h"

namespace ferry::internal {

absl::Status Caller::FailedHere(const Method& method, const absl::Status& reason, Sent sent) const {
  absl::Status named(reason.code(), absl::StrCat(NameOf(method), ": ", reason.message()));
  return WithFailure(std::move(named), {CallFailure::Origin::kHere,
                                        sent == Sent::kNo ? CallFailure::Delivery::kNotSent
                                                          : CallFailure::Delivery::kMaybeExecuted});
}

absl::Status Caller::NoIdLeft() {
  return absl::ResourceExhaustedError(
      absl::StrCat(kMaxCalls, " calls are open on the connection, and there can be no more"));
}

absl::Status Caller::NotSent(PendingCall& call, const absl::Status& reason) {
  absl::Status failed = FailedHere(call.method, reason, Sent::kNo);
  MutexLock lock(mutex_);
  if (call.id.value != 0) {
    calls_.Remove(call.id);
    GiveCredit(call.size);
    transport_.Interrupt();  // who waits for credit may be reading
  }
  // A hostile peer answers what has not been sent: the reading thread is at it.
  while (call.completing && !call.done.load(std::memory_order_relaxed)) {
    token_.Wait(call.waiter, mutex_, kNoDeadline);
  }
  // It was the connection's fault, and not by breaking the protocol: that is told.
  call.not_taken = absl::IsUnavailable(reason);
  if (call.reads) token_.Release();
  token_.Offer();
  Leave();
  return failed;
}

absl::Status Caller::Outcome(const PendingCall& call, const FrameHeader& header,
                             const Body& body) const {
  if (header.aux != 0) return FailedThere(call, header, body);
  if (body.size() > options_.max_message ||
      !call.reply.ParsePartialFromArray(body.data(), static_cast<int>(body.size())) ||
      !call.reply.IsInitialized()) {
    return BadReply(call, body);
  }
  return absl::OkStatus();
}

absl::Status Caller::FailedThere(const PendingCall& call, const FrameHeader& header,
                                 const Body& body) const {
  absl::Status status = DecodeStatus(header.aux, body);
  // The peer knows an unknown method by its number only.
  if (absl::IsUnimplemented(status) && status.message().empty()) {
    status = absl::UnimplementedError(
        absl::StrCat(NameOf(call.method), " is not served by ", transport_.peer().description));
  }
  return WithFailure(std::move(status),
                     {CallFailure::Origin::kThere, CallFailure::Delivery::kMaybeExecuted});
}

absl::Status Caller::BadReply(const PendingCall& call, const Body& body) const {
  if (body.size() > options_.max_message) {
    return FailedHere(
        call.method,
        absl::ResourceExhaustedError(absl::StrCat("reply of ", body.size(), " bytes, at most ",
                                                  options_.max_message, " are accepted")),
        Sent::kMaybe);
  }
  return FailedHere(
      call.method,
      absl::InternalError(absl::StrCat("reply of ", body.size(), " bytes is not a valid ",
                                       call.reply.GetTypeName())),
      Sent::kMaybe);
}

absl::Status Caller::FinishSlowly(PendingCall& call, End end) {
  if (end == End::kGivenUp) {
    FrameHeader cancel;
    cancel.type = FrameType::kCancel;
    cancel.call = call.id;
    sender_.SendControl(cancel);
  }
  if (call.assembly.complete() && call.status.ok()) {
    Body body(call.assembly);
    call.status = Outcome(call, call.reply_header, body);
  }
  MutexLock lock(mutex_);
  Leave();
  return std::move(call.status);
}

void Caller::OnGoAway(const absl::Status& why) {
  MutexLock lock(mutex_);
  if (refusal_.ok()) refusal_ = why;
  credit_.WakeAll();
  credit_came_ = true;  // or never will
}

void Caller::RefuseAll(const absl::Status& why) {
  MutexLock lock(mutex_);
  FailWaiting(why, Taken::kIfAnswered);
}

void Caller::FailAll(const absl::Status& reason) {
  MutexLock lock(mutex_);
  FailWaiting(reason, Taken::kMaybe);
}

void Caller::FailWaiting(const absl::Status& why, Taken taken) {
  refusal_ = why;
  calls_.TakeWaiting([&](PendingCall& call) {
    bool answered = call.reply_header.type == FrameType::kReply;
    call.not_taken = taken == Taken::kIfAnswered && !answered;
    call.status = FailedHere(call.method, why, call.not_taken ? Sent::kNo : Sent::kMaybe);
    call.assembly = Assembly();
    call.done.store(true, std::memory_order_release);
    call.waiter.wake.NotifyOne();
  });
  credit_.WakeAll();
}

}  // namespace ferry::internal
