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
#include "ferry/transport/internal/coarse_clock.h"

namespace ferry::internal {

namespace {

// How many frames are handled between looks at the call they are read for: a peer may send
// them faster than they are read.
constexpr int kMostAtOnce = 256;

// After a pause that long, a call first looks whether there is news.
constexpr int64_t kPauseMs = 20;

// What travels of a deadline: the microseconds left, at least 1; 0 for none.
uint32_t Remaining(Deadline deadline) {
  if (deadline == kNoDeadline) return 0;
  auto left = std::chrono::duration_cast<std::chrono::microseconds>(
      deadline - std::chrono::steady_clock::now());
  return static_cast<uint32_t>(std::clamp<int64_t>(left.count(), 1, 0xffffffff));
}

}  // namespace

bool Caller::Begin(PendingCall& call) {
  if (!refusal_.ok()) return false;
  Enter();
  if (options_.looks_after_pause) {
    int64_t now = CoarseMilliseconds();
    call.looks_first = now - std::exchange(last_call_ms_, now) > kPauseMs;
  }
  if (credit_.Allows(call)) {
    Open(call);
  } else {
    credit_.Queue(call);
    call.waits_for_credit = true;
  }
  return true;
}

void Caller::Open(PendingCall& call) {
  if (!calls_.Add(call)) return;
  credit_.Draw(call);
  call.reads = token_.TryTake();
}

absl::Status Caller::Finish(PendingCall& call, Deadline deadline) {
  absl::Status ready;
  if (call.waits_for_credit) ready = AwaitCredit(call, deadline);
  if (ready.ok() && call.id.value == 0) ready = NoIdLeft();
  if (ready.ok() && call.looks_first && call.reads) ready = LookFirst();
  if (!ready.ok()) return NotSent(call, ready);
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.flags = kFlagEnd;
  header.call = call.id;
  header.method = call.method.id;
  header.arg = Remaining(deadline);
  absl::Status sent = sender_.Send(header, call.request, call.size, deadline);
  if (!sent.ok()) return NotSent(call, sent);
  Leadership::PassOnBeforeWait();
  if (call.reads) ReadFor(call, deadline);
  End end = AwaitDone(call, deadline);
  return call.left ? std::move(call.status) : FinishSlowly(call, end);
}

// The peer may have gone since the last call, or be about to.
absl::Status Caller::LookFirst() {
  Look();
  MutexLock lock(mutex_);
  return refusal_;
}

// Twice: the end may be behind something.
void Caller::Look() {
  WaitOptions look;
  look.deadline = Deadline::min();
  for (int i = 0; i < 2; ++i) {
    transport_.Wait(look);
    ReadUntil([] { return true; }, Deadline::min());
  }
}

void Caller::TakeNews() {
  MutexLock lock(mutex_);
  if (!token_.TryTake()) return;
  {
    MutexUnlock unlock(mutex_);
    Look();
  }
  token_.Release();
  token_.Offer();
}

Caller::End Caller::AwaitDone(PendingCall& call, Deadline deadline) {
  MutexLock lock(mutex_);
  if (call.reads) token_.Release();
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
  call.left = !gave_up && !call.assembly.complete();
  if (call.left) Leave();
  return gave_up ? End::kGivenUp : End::kDone;
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
  ReadUntil([&call] { return call.done.load(std::memory_order_acquire); }, deadline);
  reading_for_ = nullptr;
}

void Caller::ReadForCredit(Deadline deadline) {
  ReadUntil([this] { return credit_came_.load(); }, deadline, true);
}

template <typename Done>
void Caller::ReadUntil(Done done, Deadline deadline, bool interruptible) {
  bool has_looked = false;  // at what arrived while nobody read
  for (;;) {
    FrameReader::Step step;
    int handled = 0;
    while ((step = reader_.HandleNext()) == FrameReader::Step::kHandled && handled < kMostAtOnce) {
      ++handled;
    }
    if (step == FrameReader::Step::kClosed) FailAll(transport_.close_reason());
    if (done() || HasPassed(deadline) || step == FrameReader::Step::kClosed) return;
    if (handled != 0) keepalive_.Heard();
    if (step == FrameReader::Step::kHandled) continue;
    // Not behind the sleep: what it has brought is to be handled first.
    if (has_looked && options_.keepalive != absl::InfiniteDuration()) KeepAlive();
    reader_.WaitForFrames(std::min(deadline, keepalive_.Due()), interruptible);
    has_looked = true;
  }
}

void Caller::KeepAlive() {
  FrameHeader ping;
  ping.type = FrameType::kPing;
  switch (keepalive_.Next()) {
    case Keepalive::Step::kNone:
      return;
    case Keepalive::Step::kAsk:
      sender_.SendControl(ping);
      return;
    case Keepalive::Step::kGiveUp:
      transport_.Close(absl::UnavailableError(absl::StrCat(
          transport_.peer().description, " has sent nothing, nor answered a ping, for ",
          absl::FormatDuration(2 * options_.keepalive))));
      return;
  }
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
  if (header.arg != 0 && header.type == FrameType::kReply) GiveCredit(header.arg);
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
  absl::Status added = call.assembly.Add(frame, options_.max_message);
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

}  // namespace ferry::internal
