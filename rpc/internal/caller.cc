// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/caller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ferry/rpc/internal/own_status.h"
#include "ferry/transport/internal/coarse_clock.h"

namespace ferry::internal {

namespace {

// After so many calls that nobody waits for, their ids and credits are looked for.
constexpr uint32_t kSentOnlyBetweenNews = 32;

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
  if (call.completion != nullptr) {
    async_begun_.store(async_begun_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  if (options_.looks_after_pause) {
    int64_t now = CoarseMilliseconds();
    call.looks_first = now - std::exchange(last_call_ms_, now) > kPauseMs;
  }
  if (call.stream != nullptr) call.stream->credit.Start(peer_stream_credit_);
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
  if (options_.beside != nullptr) return FinishBeside(call, deadline);
  absl::Status sent = SendRequest(call, kFlagEnd, deadline);
  if (!sent.ok()) return NotSent(call, sent);
  PassOnBeforeWait();
  if (call.reads) ReadFor(call, deadline);
  AwaitDone(call, deadline);
  return call.left ? std::move(call.status) : FinishSlowly(call);
}

absl::Status Caller::SendRequest(PendingCall& call, uint8_t flags, Deadline deadline) {
  absl::Status ready;
  if (call.waits_for_credit) ready = AwaitCredit(call, deadline);
  if (ready.ok() && call.id.value == 0) ready = NoIdLeft();
  if (ready.ok() && call.reads && (call.looks_first || (flags & kFlagOneWay) != 0)) {
    ready = LookFirst(call);
  }
  // One that has ended for another reason finds that in sending.
  if (ready.ok() && call.cancellation != nullptr && call.done.load() &&
      absl::IsCancelled(call.status)) {
    ready = Cancelled();
  }
  if (ready.ok() && call.metadata != nullptr) ready = SendMetadata(call, deadline);
  if (!ready.ok()) return ready;
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.flags = flags;
  header.call = call.id;
  header.method = call.method.id;
  bool is_fresh = call.left_at_begin != 0 && !call.waits_for_credit;
  header.arg = is_fresh ? call.left_at_begin : Remaining(deadline);
  if (options_.beside != nullptr && (flags & kFlagOneWay) == 0) {
    return SendNested(call, header, deadline);
  }
  return SendRequest(call, header, deadline);
}

absl::Status Caller::SendRequest(PendingCall& call, FrameHeader& header, Deadline deadline) {
  if (call.request != nullptr) {
    // Of a callback more may follow.
    auto when = call.completion == nullptr ? Sender::When::kNow : Sender::When::kSoon;
    return sender_.Send(header, *call.request, call.size, deadline, when);
  }
  header.flags |= kFlagEmpty;
  return sender_.SendEmpty(header, deadline);
}

// Not if the request cannot follow.
absl::Status Caller::SendMetadata(PendingCall& call, Deadline deadline) {
  if (call.request != nullptr) {
    absl::Status fits = sender_.Check(*call.request, call.size);
    if (!fits.ok()) return fits;
  }
  FrameHeader header;
  header.type = FrameType::kMetadata;
  header.call = call.id;
  return sender_.Send(header, *call.metadata, call.metadata_size, deadline);
}

absl::Status Caller::SendOnly(PendingCall& call, Deadline deadline) {
  absl::Status sent = SendRequest(call, kFlagEnd | kFlagOneWay, deadline);
  if (!sent.ok()) return NotSent(call, sent);
  bool look;
  {
    MutexLock lock(mutex_);
    if (call.reads) token_.Release();
    token_.Offer();
    look = ++sent_only_ % kSentOnlyBetweenNews == 0;
  }
  bool has_left = !has_rest() || AwaitSent(call.done, deadline);
  if (look) TakeNews();
  if (call.cancellation != nullptr) call.cancellation->End();
  absl::Status closed = has_left ? absl::OkStatus() : transport_.close_reason();
  MutexLock lock(mutex_);
  while (call.completing && !call.done.load(std::memory_order_relaxed)) {
    token_.Wait(call.wait.waiter, mutex_, kNoDeadline);  // the reading thread is at it
  }
  calls_.Abandon(call.id);
  token_.Offer();
  Leave();
  if (has_left) return absl::OkStatus();
  if (call.done.load(std::memory_order_relaxed)) return call.status;
  return FailedHere(call.method, closed.ok() ? TooLate() : closed, Sent::kMaybe);
}

// The peer may have gone since the last call, or be about to. What is here already may say so, and
// a call that nobody waits for would be lost.
absl::Status Caller::LookFirst(const PendingCall& call) {
  call.looks_first ? Look() : ReadOn();
  MutexLock lock(mutex_);
  return OwnCopy(refusal_);
}

// Twice: the end may be behind something.
void Caller::Look() {
  WaitOptions look;
  look.deadline = Deadline::min();
  for (int i = 0; i < 2; ++i) {
    transport_.Wait(look);
    ReadOn();
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

void Caller::AwaitDone(PendingCall& call, Deadline deadline) {
  MutexLock lock(mutex_);
  if (call.reads) StopReading(call);
  if (!call.done.load(std::memory_order_relaxed)) AwaitOthers(call, deadline);
  token_.Offer();
  if (call.owes_cancel) token_.WakeOne();  // who looks whether something is left to send
  call.left = !call.owes_cancel && !call.assembly.complete() && call.cancellation == nullptr;
  if (call.left) Leave();
}

// Until another thread has read the reply, or it is this one's turn.
void Caller::AwaitOthers(PendingCall& call, Deadline deadline) {
  bool flushed = false;
  while (!call.done.load(std::memory_order_relaxed)) {
    if (HasPassed(deadline)) {
      // If it cannot be ended, the reading thread is at it right now, and says when it is not.
      if (!EndHere(call, TooLate())) token_.Wait(call.wait.waiter, mutex_, kNoDeadline);
    } else if (token_.TryTake()) {
      {
        MutexUnlock unlock(mutex_);
        ReadFor(call, deadline);
      }
      StopReading(call);
    } else {
      token_.Wait(call.wait.waiter, mutex_, deadline);
      if (call.done.load(std::memory_order_relaxed)) break;
      // The thread that was to send the rest of our request may have given up.
      flushed = true;
      MutexUnlock unlock(mutex_);
      transport_.Flush(deadline);
    }
  }
  if (flushed) token_.WakeOne();  // who looks whether something is left to send
}

}  // namespace ferry::internal
