// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/caller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/method_name.h"
#include "ferry/rpc/internal/status_codec.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

namespace {

// How many frames are handled between looks at the call they are read for: a peer may send
// them faster than they are read.
constexpr int kMostAtOnce = 256;

// What travels of a deadline: the microseconds left, at least 1; 0 for none.
uint32_t Remaining(Deadline deadline) {
  if (deadline == kNoDeadline) return 0;
  auto left = std::chrono::duration_cast<std::chrono::microseconds>(
      deadline - std::chrono::steady_clock::now());
  return static_cast<uint32_t>(std::clamp<int64_t>(left.count(), 1, 0xffffffff));
}

}  // namespace

absl::Status Caller::Call(const Method& method, const MessageLite& request, MessageLite& reply,
                          Deadline deadline) {
  if (fork_mark_.IsForked()) return Forked(method);
  PendingCall call(method, reply);
  bool reads = false;
  {
    MutexLock lock(mutex_);
    if (calls_.Add(call)) reads = token_.TryTake();
  }
  if (call.id.value == 0) return NoIdLeft(method);
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.flags = kFlagEnd;
  header.call = call.id;
  header.method = method.id;
  header.arg = Remaining(deadline);
  absl::Status sent = sender_.Send(header, request, deadline);
  if (!sent.ok()) return NotSent(call, sent, reads);
  Leadership::PassOnBeforeWait();
  if (reads) ReadFor(call, deadline);
  if (!AwaitDone(call, deadline, reads)) Cancel(call.id);
  if (call.assembly.complete() && call.status.ok()) {
    Body body(call.assembly);
    call.status = Outcome(call, call.reply_header, body);
  }
  return std::move(call.status);
}

absl::Status Caller::FailedHere(const Method& method, const absl::Status& reason, Sent sent) const {
  absl::Status named(reason.code(), absl::StrCat(NameOf(method), ": ", reason.message()));
  return WithFailure(std::move(named), {CallFailure::Origin::kHere,
                                        sent == Sent::kNo ? CallFailure::Delivery::kNotSent
                                                          : CallFailure::Delivery::kMaybeExecuted});
}

absl::Status Caller::NoIdLeft(const Method& method) const {
  return FailedHere(method,
                    absl::ResourceExhaustedError(absl::StrCat(
                        kMaxCalls, " calls are open on the connection, and there can be no more")),
                    Sent::kNo);
}

absl::Status Caller::Forked(const Method& method) const {
  return FailedHere(method, ForkMark::Refuse("the channel"), Sent::kNo);
}

absl::Status Caller::NotSent(const PendingCall& call, const absl::Status& reason, bool reads) {
  MutexLock lock(mutex_);
  calls_.Remove(call.id);
  if (reads) token_.Release();
  token_.Offer();
  return FailedHere(call.method, reason, Sent::kNo);
}

absl::Status Caller::Outcome(const PendingCall& call, const FrameHeader& header,
                             const Body& body) const {
  if (header.aux != 0) return FailedThere(call, header, body);
  if (body.size() > max_message_ ||
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
  if (body.size() > max_message_) {
    return FailedHere(
        call.method,
        absl::ResourceExhaustedError(absl::StrCat("reply of ", body.size(), " bytes, at most ",
                                                  max_message_, " are accepted")),
        Sent::kMaybe);
  }
  return FailedHere(
      call.method,
      absl::InternalError(absl::StrCat("reply of ", body.size(), " bytes is not a valid ",
                                       call.reply.GetTypeName())),
      Sent::kMaybe);
}

// Until the call is done, or false when the deadline came first. `reads`: this thread
// holds the read token.
bool Caller::AwaitDone(PendingCall& call, Deadline deadline, bool reads) {
  MutexLock lock(mutex_);
  if (reads) token_.Release();
  bool gave_up = false, flushed = false;
  while (!call.done.load(std::memory_order_relaxed) && !gave_up) {
    if (HasPassed(deadline)) {
      gave_up = GiveUp(call);
      // If not, the reading thread is at it right now, and says when it is not.
      if (!gave_up) token_.Wait(call.waiter, mutex_, kNoDeadline);
    } else if (token_.TryTake()) {
      {
        MutexUnlock unlock(mutex_);
        ReadFor(call, deadline);
      }
      token_.Release();
    } else {
      token_.Wait(call.waiter, mutex_, deadline);
      if (call.done.load(std::memory_order_relaxed)) break;
      // The thread that was to send the rest of our request may have given up.
      flushed = true;
      MutexUnlock unlock(mutex_);
      transport_.Flush(deadline);
    }
  }
  token_.Offer();
  if (gave_up || flushed) token_.WakeOne();  // who looks whether something is left to be sent
  return !gave_up;
}

void Caller::Cancel(CallId id) {
  FrameHeader cancel;
  cancel.type = FrameType::kCancel;
  cancel.call = id;
  sender_.SendControl(cancel);
}

// The deadline has passed: ends the call here; its id stays taken until the peer's
// reply.
bool Caller::GiveUp(PendingCall& call) {
  if (call.completing) return false;
  calls_.Abandon(call.id);
  call.assembly = Assembly();
  call.status = FailedHere(call.method,
                           absl::DeadlineExceededError(absl::StrCat(
                               "no reply from ", transport_.peer().description, " in time")),
                           Sent::kMaybe);
  return true;
}

// Reads for all until this call is done. What was received together is handed out
// together, so that nobody has to be woken just to read it.
void Caller::ReadFor(const PendingCall& call, Deadline deadline) {
  reading_for_ = &call;
  for (;;) {
    FrameReader::Step step;
    int handled = 0;
    while ((step = reader_.HandleNext()) == FrameReader::Step::kHandled && handled < kMostAtOnce) {
      ++handled;
    }
    if (step == FrameReader::Step::kClosed) FailAll(transport_.close_reason());
    if (call.done.load(std::memory_order_acquire) || HasPassed(deadline)) break;
    if (step != FrameReader::Step::kHandled) reader_.WaitForFrames(deadline);
  }
  reading_for_ = nullptr;
}

// The call that a frame is for, which then stays until it is done or StopCompleting.
// Null for a caller that has gone: it left nothing but its id. The id goes with the last
// frame.
absl::StatusOr<PendingCall*> Caller::BeginCompleting(const FrameHeader& header) {
  MutexLock lock(mutex_);
  CallTable::Slot* slot = calls_.Find(header.call);
  if (slot == nullptr) {
    return absl::DataLossError("broken frame: reply to a call that is not open");
  }
  PendingCall* call = slot->call;
  if (call != nullptr) call->completing = true;
  if ((header.flags & kFlagMore) == 0) calls_.Remove(*slot, header.call);
  return call;
}

void Caller::StopCompleting(PendingCall& call) {
  MutexLock lock(mutex_);
  call.completing = false;
  call.waiter.wake.NotifyOne();
}

// The outcome is known, and the id has gone. Another thread's call may be destroyed as
// soon as it can see `done`, which is when the lock is free again.
void Caller::Complete(PendingCall& call) {
  if (&call == reading_for_) {
    call.done.store(true, std::memory_order_relaxed);
    return;
  }
  MutexLock lock(mutex_);
  call.done.store(true, std::memory_order_release);
  call.waiter.wake.NotifyOne();
}

absl::Status Caller::OnReply(const Frame& frame, Body& body) {
  absl::StatusOr<PendingCall*> begun = BeginCompleting(frame.header);
  if (!begun.ok() || *begun == nullptr) return begun.status();
  PendingCall* call = *begun;
  if (call->reply_header.type == FrameType::kReply) {
    return Break(*call, absl::DataLossError("broken frame: reply in the middle of a reply"));
  }
  if ((frame.header.flags & kFlagMore) != 0) {
    call->reply_header = frame.header;
    return AddFragment(*call, frame);
  }
  call->status = Outcome(*call, frame.header, body);
  body.Release();
  Complete(*call);
  return absl::OkStatus();
}

absl::Status Caller::OnContinue(const Frame& frame) {
  absl::StatusOr<PendingCall*> begun = BeginCompleting(frame.header);
  if (!begun.ok() || *begun == nullptr) return begun.status();
  PendingCall* call = *begun;
  if (call->reply_header.type != FrameType::kReply) {
    return Break(*call, absl::DataLossError("broken frame: continue of no reply"));
  }
  return AddFragment(*call, frame);
}

absl::Status Caller::AddFragment(PendingCall& call, const Frame& frame) {
  absl::Status added = call.assembly.Add(frame, max_message_);
  if (absl::IsDataLoss(added)) return Break(call, added);
  if (!added.ok()) call.status = FailedHere(call.method, added, Sent::kMaybe);
  if (call.assembly.complete()) {
    Complete(call);
  } else {
    StopCompleting(call);
  }
  return absl::OkStatus();
}

// The peer broke the protocol within this call.
absl::Status Caller::Break(PendingCall& call, const absl::Status& broken) {
  {
    MutexLock lock(mutex_);
    calls_.Remove(call.id);
  }
  call.assembly = Assembly();
  call.status = FailedHere(call.method, broken, Sent::kMaybe);
  Complete(call);
  return broken;
}

void Caller::FailAll(const absl::Status& reason) {
  MutexLock lock(mutex_);
  calls_.TakeWaiting([&](PendingCall& call) {
    call.status = FailedHere(call.method, reason, Sent::kMaybe);
    call.assembly = Assembly();
    call.done.store(true, std::memory_order_release);
    call.waiter.wake.NotifyOne();
  });
}

}  // namespace ferry::internal
