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

absl::Status Caller::Cancelled() { return absl::CancelledError("the caller cancelled it"); }

absl::Status Caller::TooLate() const {
  return absl::DeadlineExceededError(
      absl::StrCat("no reply from ", transport_.peer().description, " in time"));
}

absl::Status Caller::NotSent(PendingCall& call, const absl::Status& reason) {
  if (call.cancellation != nullptr) call.cancellation->End();
  absl::Status failed = FailedHere(call.method, reason, Sent::kNo);
  MutexLock lock(mutex_);
  if (call.id.value != 0) {
    calls_.Remove(call.id);
    GiveCredit(call.cost());
    transport_.Interrupt();  // who waits for credit may be reading
  }
  // A hostile peer answers what has not been sent: the reading thread is at it.
  while (call.completing && !call.done.load(std::memory_order_relaxed)) {
    token_.Wait(call.wait.waiter, mutex_, kNoDeadline);
  }
  // It was the connection's fault, and not by breaking the protocol: that is told.
  call.not_taken = absl::IsUnavailable(reason);
  if (call.reads) token_.Release();
  token_.Offer();
  call.completion == nullptr ? Leave() : LeaveAsync();
  return failed;
}

// What a reply says; fills in the reply message of the call.
absl::Status Caller::Outcome(const PendingCall& call, const FrameHeader& header,
                             const Body& body) const {
  if (header.aux != 0) return FailedThere(call, header, body);
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  if (call.reply == nullptr && is_empty) return absl::OkStatus();
  if (call.reply == nullptr || is_empty || body.size() > options_.max_message ||
      !ParseMessage(body.data(), body.size(), *call.reply)) {
    return BadReply(call, header, body);
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

absl::Status Caller::BadReply(const PendingCall& call, const FrameHeader& header,
                              const Body& body) const {
  absl::Status bad;
  if (call.reply == nullptr) {
    bad = absl::UnimplementedError("the reply to it is one message, expected a stream");
  } else if ((header.flags & kFlagEmpty) != 0) {
    bad = absl::UnimplementedError("the reply to it has no message");
  } else if (body.size() > options_.max_message) {
    bad = absl::ResourceExhaustedError(absl::StrCat("reply of ", body.size(), " bytes, at most ",
                                                    options_.max_message, " are accepted"));
  } else {
    return BadMessage(call, *call.reply, body.size());
  }
  return FailedHere(call.method, bad, Sent::kMaybe);
}

absl::Status Caller::BadMessage(const PendingCall& call,
                                const google::protobuf::MessageLite& message, size_t size) const {
  return FailedHere(call.method,
                    absl::InternalError(absl::StrCat("reply of ", size, " bytes is not a valid ",
                                                     message.GetTypeName())),
                    Sent::kMaybe);
}

bool Caller::EndHere(PendingCall& call, const absl::Status& why, bool tells_peer) {
  if (call.completing || call.done.load(std::memory_order_relaxed)) return false;
  if (call.id.value != 0) {
    calls_.Abandon(call.id);
    call.owes_cancel = tells_peer;
  }
  call.assembly = Assembly();
  if (call.stream != nullptr) call.stream->inbox.Clear();
  call.status = FailedHere(call.method, why, call.id.value == 0 ? Sent::kNo : Sent::kMaybe);
  SetDone(call);
  return true;
}

void Caller::SetDone(PendingCall& call) {
  call.done.store(true, std::memory_order_release);
  if (call.completion != nullptr) return call.completion->OnEnded();
  call.wait.Tell();
  if (call.stream == nullptr) return;
  if (call.stream->reads != nullptr) call.stream->reads->Tell();
  if (call.stream->writes != nullptr) call.stream->writes->Tell();
}

void Caller::SendCancel(CallId call) {
  FrameHeader cancel;
  cancel.type = FrameType::kCancel;
  cancel.call = call;
  sender_.SendControl(cancel);
}

void Caller::Cancel(PendingCall& call) {
  {
    MutexLock lock(mutex_);
    if (call.done.load(std::memory_order_relaxed)) return;
    call.cancel_is_due = call.completing;
    EndHere(call, Cancelled());
  }
  transport_.Interrupt();  // it may be the call of who reads
  if (call.stream != nullptr) TellPeer(call);
}

absl::Status Caller::FinishSlowly(PendingCall& call) {
  if (call.cancellation != nullptr) call.cancellation->End();
  if (call.owes_cancel) SendCancel(call.id);
  if (call.assembly.complete() && call.status.ok()) {
    Body body(call.assembly);
    call.status = Outcome(call, call.reply_header, body);
  }
  absl::Status status = std::move(call.status);
  if (call.completion != nullptr) {
    LeaveAsync();
    return status;
  }
  MutexLock lock(mutex_);
  Leave();
  return status;
}

absl::Status Caller::OnTooLarge(const FrameHeader& header, const absl::Status& status) {
  MutexLock lock(mutex_);
  CallTable::Slot* slot = calls_.Find(header.call);
  if (slot == nullptr) return NotOpen(header);
  PendingCall* call = slot->call;
  const bool is_reply = header.type == FrameType::kReply;
  if (call != nullptr) EndHere(*call, status, !is_reply);
  if (!is_reply) return absl::OkStatus();
  GiveCredit(header.arg);
  calls_.Remove(*slot, header.call);
  return absl::OkStatus();
}

void Caller::OnGoAway(const absl::Status& why) {
  MutexLock lock(mutex_);
  if (refusal_.ok()) refusal_ = why;
  credit_.TellAll();
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
  calls_.TakeWaiting([&](PendingCall& call) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    call.not_taken = taken == Taken::kIfAnswered && !call.has_answer;
    call.status = FailedHere(call.method, why, call.not_taken ? Sent::kNo : Sent::kMaybe);
    call.assembly = Assembly();
    SetDone(call);
  });
  credit_.TellAll();
}

}  // namespace ferry::internal
