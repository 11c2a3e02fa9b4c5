// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Calls with streams.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/caller_beside.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

namespace {

// How often a thread looks for itself that waits until its message has left.
constexpr absl::Duration kLookAgain = absl::Milliseconds(10);

}  // namespace

absl::Status Caller::Start(PendingCall& call, Deadline deadline) {
  absl::Status sent = SendRequest(call, call.request != nullptr ? kFlagEnd : 0, deadline);
  if (!sent.ok()) return NotSent(call, sent);
  {
    MutexLock lock(mutex_);
    if (call.reads) token_.Release();
    token_.Offer();
    if (call.request != nullptr) call.stream->no_more = true;
  }
  EndSending(call, sent, deadline);
  return absl::OkStatus();
}

bool Caller::Read(PendingCall& call, MessageLite& message, Deadline deadline) {
  StreamState& stream = *call.stream;
  PassOnBeforeWait();
  CallWait wait;
  Beside beside(*this, wait);
  DirectRead direct{call.id, message};
  Assembly kept;
  uint32_t credit = 0;
  bool was_there = false;
  {
    MutexLock lock(mutex_);
    if (!stream.broken.ok()) return false;
    stream.reads = &wait;
    while (stream.inbox.empty() && !direct.is_filled && !IsOver(call, deadline)) {
      AwaitNews(wait, deadline, &direct);
    }
    stream.reads = nullptr;
    if (direct.is_filled) {
      call.has_answer = true;
      stream.inbox.WasRead(direct.size);
      if (!stream.inbox.Draw(direct.size)) {
        EndHere(call, absl::ResourceExhaustedError("a message came without credit"));
        direct.is_filled = false;
      }
    } else if (!stream.inbox.empty()) {
      was_there = true;
      kept = stream.inbox.Take();
    }
    if (!call.done.load(std::memory_order_relaxed)) credit = stream.inbox.TakeCredit();
    token_.Offer();
  }
  if (credit != 0) GiveStreamCredit(call.id, credit);
  if (was_there) {
    direct.is_filled = true;
    direct.size = kept.size();
    direct.is_valid = ParseMessage(kept.data(), kept.size(), message);
  }
  TellPeer(call);
  if (direct.is_filled && !direct.is_valid) Break(call, BadMessage(call, message, direct.size));
  return direct.is_filled && direct.is_valid;
}

bool Caller::Write(PendingCall& call, const MessageLite& message, Deadline deadline) {
  size_t size = message.ByteSizeLong();
  if (!BeginSending(call, size + kMessageCost, deadline)) return false;
  FrameHeader header;
  header.type = FrameType::kMessage;
  header.call = call.id;
  return EndSending(call, sender_.Send(header, message, size, deadline), deadline);
}

bool Caller::WritesDone(PendingCall& call, Deadline deadline) {
  if (!BeginSending(call, 0, deadline)) return false;
  {
    MutexLock lock(mutex_);
    call.stream->no_more = true;
  }
  FrameHeader header;
  header.type = FrameType::kMessage;
  header.flags = kFlagEnd | kFlagEmpty;
  header.call = call.id;
  return EndSending(call, sender_.SendEmpty(header, deadline), deadline);
}

// Waits for credit, unless it costs nothing. False when the call has ended, or END was sent.
bool Caller::BeginSending(PendingCall& call, size_t cost, Deadline deadline) {
  StreamState& stream = *call.stream;
  PassOnBeforeWait();
  {
    CallWait wait;
    Beside beside(*this, wait);
    MutexLock lock(mutex_);
    stream.writes = &wait;
    while (cost != 0 && !stream.credit.allows() && !stream.no_more && !IsOver(call, deadline)) {
      AwaitNews(wait, deadline);
    }
    stream.writes = nullptr;
    token_.Offer();
    if (!call.done.load(std::memory_order_relaxed) && !stream.no_more) {
      stream.credit.Draw(cost);
      return stream.is_sending = true;
    }
  }
  TellPeer(call);
  return false;
}

// What could not be sent ends the call, unless it is the connection that has ended: what it has
// brought before that, perhaps the reply, still counts.
bool Caller::EndSending(PendingCall& call, const absl::Status& sent, Deadline deadline) {
  {
    MutexLock lock(mutex_);
    call.stream->is_sending = false;
  }
  if (!sent.ok() && transport_.close_reason().ok()) {
    Fail(call, FailedHere(call.method, sent, Sent::kMaybe));
  }
  TellPeer(call);
  if (sent.ok() && has_rest()) AwaitSent(call.done, deadline);
  return sent.ok();
}

// Until nothing is queued, so that what was sent does not wait for somebody's next call. False
// when it is over, or the connection is, before that.
bool Caller::AwaitSent(const std::atomic<bool>& is_over, Deadline deadline) {
  PassOnBeforeWait();
  CallWait wait;
  ++senders_waiting_;
  bool has_left = false;  // once is enough: others go on to send
  auto is_done = [&] { return (has_left = transport_.queued() == 0) || is_over.load(); };
  while (!is_done() && transport_.close_reason().ok() && !HasPassed(deadline)) {
    MutexLock lock(mutex_);
    if (token_.TryTake()) {
      {
        MutexUnlock unlock(mutex_);
        // Another thread may send the rest, and does not say so.
        ReadUntil(is_done, std::min(deadline, DeadlineAfter(kLookAgain)), true, kMostAtOnce);
      }
      token_.Release();
    } else {
      token_.Wait(wait.waiter, mutex_, std::min(deadline, DeadlineAfter(kLookAgain)));
    }
    token_.Offer();
    if (has_left) break;
  }
  --senders_waiting_;
  return has_left && transport_.close_reason().ok();
}

void Caller::SendRest() {
  const std::atomic<bool> never{false};
  AwaitSent(never, kNoDeadline);
}

absl::Status Caller::FinishStream(PendingCall& call, Deadline deadline) {
  StreamState& stream = *call.stream;
  WritesDone(call, deadline);
  PassOnBeforeWait();
  CallWait wait;
  Beside beside(*this, wait);
  uint32_t credit = 0;
  {
    MutexLock lock(mutex_);
    stream.drops_all = true;
    stream.inbox.Clear();
    if (!call.done.load(std::memory_order_relaxed)) credit = stream.inbox.TakeCredit();
  }
  if (credit != 0) GiveStreamCredit(call.id, credit);
  {
    MutexLock lock(mutex_);
    stream.reads = &wait;
    while (!IsOver(call, deadline)) AwaitNews(wait, deadline);
    stream.reads = nullptr;
    token_.Offer();
  }
  TellPeer(call);
  if (call.assembly.complete() && call.status.ok()) {
    Body body(call.assembly);
    call.status = Outcome(call, call.reply_header, body);
  }
  if (call.status.ok()) call.status = stream.broken;
  return call.status;
}

void Caller::Drop(PendingCall& call) {
  Cancel(call);
  CallWait wait;
  {
    MutexLock lock(mutex_);
    call.stream->reads = &wait;
    while (!call.done.load(std::memory_order_relaxed)) {
      token_.Wait(wait.waiter, mutex_, kNoDeadline);  // the reading thread is at it
    }
    call.stream->reads = nullptr;
    token_.Offer();
  }
  TellPeer(call);
}

bool Caller::IsOver(PendingCall& call, Deadline deadline) {
  if (!call.done.load(std::memory_order_relaxed) && HasPassed(deadline)) EndHere(call, TooLate());
  return call.done.load(std::memory_order_relaxed);
}

// Reads for all, or sleeps while another thread does, until the wait is told, or the deadline.
void Caller::AwaitNews(CallWait& wait, Deadline deadline, DirectRead* direct) {
  if (!token_.TryTake()) {
    // Past the deadline, the reading thread is at the call, and says when it is not.
    Deadline until = HasPassed(deadline) ? DeadlineAfter(kLookAgain) : deadline;
    if (wait.beside != nullptr) return AwaitBeside(wait, until);
    return token_.Wait(wait.waiter, mutex_, until);
  }
  wait.told.store(false, std::memory_order_relaxed);
  int most = token_.has_waiters() ? kMostAtOnce : 1;
  {
    MutexUnlock unlock(mutex_);
    direct_ = direct;
    ReadUntil(
        [&] {
          return wait.told.load(std::memory_order_acquire) ||
                 (direct != nullptr && direct->is_filled);
        },
        deadline, true, most);
    direct_ = nullptr;
  }
  token_.Release();
}

// That the call has ended here, unless a thread is just sending for it, which does that then.
void Caller::TellPeer(PendingCall& call) {
  {
    MutexLock lock(mutex_);
    if (!call.owes_cancel || call.stream->is_sending) return;
    call.owes_cancel = false;
  }
  SendCancel(call.id);
}

void Caller::GiveStreamCredit(CallId call, uint32_t bytes) {
  FrameHeader header;
  header.type = FrameType::kCredit;
  header.call = call;
  header.arg = bytes;
  sender_.SendControl(header);
}

// Also if a good reply is here, or just comes: it does not make up for what could not be read.
void Caller::Break(PendingCall& call, const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    call.stream->broken = why;
    call.stream->drops_all = true;
    call.stream->inbox.Clear();
  }
  Fail(call, why);
}

// With a status that says already what has failed.
void Caller::Fail(PendingCall& call, const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    if (EndHere(call, why)) call.status = why;
  }
  transport_.Interrupt();  // the other thread of the stream may be reading
  TellPeer(call);
}

}  // namespace ferry::internal
