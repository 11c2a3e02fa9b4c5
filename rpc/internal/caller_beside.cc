// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Calls on a connection that a lane reads, since it serves, too, or has calls that nobody waits
// for.

#include "ferry/rpc/internal/caller_beside.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/leadership.h"

namespace ferry::internal {

Caller::Beside::Beside(Caller& caller, CallWait& wait) : caller_(caller), wait_(wait) {
  if (caller.options_.beside == nullptr || wait.beside != nullptr) return;
  beside_.emplace();
  MutexLock lock(caller.mutex_);  // the call may be known already
  wait.beside = &*beside_;
}

Caller::Beside::~Beside() {
  if (!beside_.has_value()) return;
  {
    MutexLock lock(caller_.mutex_);
    wait_.beside = nullptr;
  }
  if (beside_->has_nested()) caller_.options_.beside->RunNestedBeside(*beside_);
}

void Caller::PassOnBeforeWait() const {
  if (options_.beside == nullptr) Leadership::PassOnBeforeWait();
}

absl::Status Caller::FinishBeside(PendingCall& call, Deadline deadline) {
  absl::Status sent;
  {
    Beside beside(*this, call.wait);  // before the peer can know the call
    sent = SendRequest(call, kFlagEnd, deadline);
    MutexLock lock(mutex_);
    while (sent.ok() && !call.done.load(std::memory_order_relaxed)) {
      if (HasPassed(deadline) && EndHere(call, TooLate())) break;
      AwaitBeside(call.wait, HasPassed(deadline) ? kNoDeadline : deadline);
    }
  }
  return sent.ok() ? FinishSlowly(call) : NotSent(call, sent);
}

absl::Status Caller::StartAsync(PendingCall& call) {
  if (call.waits_for_credit) {
    {
      MutexLock lock(mutex_);
      credit_.Leave(call);
    }
    return NotSent(call, absl::ResourceExhaustedError(absl::StrCat(
                             transport_.peer().description, " has no room now for a request of ",
                             call.cost(), " bytes: it has not taken enough of those before it")));
  }
  const Deadline deadline = call.deadline;
  if (deadline < async_deadline()) {
    MutexLock lock(mutex_);
    async_deadline_.store(std::min(deadline, async_deadline()), std::memory_order_relaxed);
    transport_.Interrupt();  // who reads may sleep for longer
  }
  const uint8_t flags = call.stream != nullptr && call.request == nullptr ? 0 : kFlagEnd;
  absl::Status sent = SendRequest(call, flags, deadline);
  if (!sent.ok()) return NotSent(call, sent);
  options_.beside->Recall();
  return sent;
}

void Caller::ExpireAsync() {
  if (async_deadline() == kNoDeadline) return;
  MutexLock lock(mutex_);
  Deadline next = kNoDeadline;
  calls_.ForEach([&](PendingCall& call) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (call.completion == nullptr || call.completing) return;
    if (!HasPassed(call.deadline)) {
      next = std::min(next, call.deadline);
    } else {
      EndHere(call, TooLate());
    }
  });
  async_deadline_.store(next, std::memory_order_relaxed);
}

// The request says in which call of the peer it is made, so that the peer may run its handler on
// the thread that waits for that call.
absl::Status Caller::SendNested(PendingCall& call, FrameHeader& header, Deadline deadline) {
  Leadership::Parent parent;
  if (call.completion == nullptr) parent = Leadership::ParentOn(*this);
  header.aux = parent.nested;
  absl::Status sent = SendRequest(call, header, deadline);
  if (parent.nested != 0) parent.call->EndNested();
  return sent;
}

// What changes is told under the lock, so that it is not missed.
void Caller::AwaitBeside(CallWait& wait, Deadline deadline) {
  HandlerWait& beside = *wait.beside;
  beside.Reset();
  MutexUnlock unlock(mutex_);
  options_.beside->AwaitBeside(beside, deadline);
}

HandlerWait* Caller::WaitOf(uint32_t index) {
  PendingCall* call = calls_.FindIndex(index);
  if (call == nullptr) return nullptr;
  if (call->stream == nullptr) return call->wait.beside;
  if (call->stream->reads != nullptr) return call->stream->reads->beside;
  return call->stream->writes != nullptr ? call->stream->writes->beside : nullptr;
}

Caller::Waiting Caller::WhoWaitsFor(uint32_t index) {
  MutexLock lock(mutex_);
  HandlerWait* wait = WaitOf(index);
  if (wait == nullptr) return Waiting::kNobody;
  return wait->is_on_this_thread() ? Waiting::kThisThread : Waiting::kAnotherThread;
}

bool Caller::AddNested(uint32_t index, std::shared_ptr<QueuedRequest> request) {
  MutexLock lock(mutex_);
  HandlerWait* wait = WaitOf(index);
  if (wait == nullptr) return false;
  wait->AddNested(std::move(request));
  return true;
}

}  // namespace ferry::internal
