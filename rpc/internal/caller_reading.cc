// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How the waiting thread that holds the read token reads for all.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/caller.h"

namespace ferry::internal {
namespace {

// How many more frames are handled once somebody is due to be woken.
constexpr int kMostBeforeWake = 8;

}  // namespace

// Reads for all until this call is done, or its reply is here.
void Caller::ReadFor(const PendingCall& call, Deadline deadline) {
  own_.call = &call;
  own_.wakes_later = true;
  auto is_done = [&] { return own_.is_here || call.done.load(std::memory_order_acquire); };
  ReadUntil(is_done, deadline, call.cancellation != nullptr, kMostAtOnce);
  own_.call = nullptr;
}

// Gives the token back, and ends the call if its reply is here: unless another thread has.
void Caller::StopReading(PendingCall& call) {
  if (std::exchange(own_.is_here, false)) {
    if (own_.credit != 0) GiveCredit(own_.credit);
    calls_.Remove(call.id);
    call.owes_cancel = false;
    if (!call.done.load(std::memory_order_relaxed)) {
      call.status = std::move(own_.outcome);
      call.done.store(true, std::memory_order_relaxed);
    }
    if (token_.has_waiters() && !own_.has_due) {
      MutexUnlock unlock(mutex_);
      ReadOn();  // rather than wake one of them for what is here
    }
  }
  own_.wakes_later = false;
  token_.Release();
  if (std::exchange(own_.has_due, false)) token_.WakeDue();
}

void Caller::ReadUntil(absl::FunctionRef<bool()> done, Deadline deadline, bool interruptible,
                       int most) {
  bool has_looked = false;  // at what arrived while nobody read
  for (;;) {
    FrameReader::Step step;
    int handled = 0;
    while ((step = reader_.HandleNext()) == FrameReader::Step::kHandled &&
           ++handled < (own_.has_due ? std::min(most, kMostBeforeWake) : most) && !own_.is_here &&
           (direct_ == nullptr || !direct_->is_filled)) {
    }
    if (step == FrameReader::Step::kClosed) FailAll(transport_.close_reason());
    if (done() || step == FrameReader::Step::kClosed) return;
    if (has_looked && HasPassed(deadline)) return;
    if (own_.has_due) WakeDue();
    if (handled != 0) keepalive_.Heard();
    if (step == FrameReader::Step::kHandled) {
      has_looked = true;
      continue;
    }
    // Not behind the sleep: what it has brought is to be handled first.
    if (has_looked && options_.keepalive != absl::InfiniteDuration()) KeepAlive();
    reader_.WaitForFrames(std::min(deadline, keepalive_.Due()), interruptible);
    if (senders_waiting_.load() != 0 && transport_.queued() == 0) WakeSenders();
    has_looked = true;
  }
}

void Caller::WakeDue() {
  MutexLock lock(mutex_);
  own_.has_due = false;
  token_.WakeDue();
}

void Caller::WakeSenders() {
  MutexLock lock(mutex_);
  token_.WakeAll();
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

}  // namespace ferry::internal
