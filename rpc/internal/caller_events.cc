// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Calls with streams that no thread waits for.

#include <utility>

#include "ferry/rpc/internal/caller.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

// One message at a time, so that what it has drawn of our credit is given back when it has been
// told: with the next look.
Caller::Event Caller::NextEvent(PendingCall& call, MessageLite* incoming) {
  StreamState& stream = *call.stream;
  Event event = Event::kNone;
  Assembly message;
  uint32_t credit = 0;
  {
    MutexLock lock(mutex_);
    const bool done = call.done.load(std::memory_order_relaxed);
    if (!done) credit = stream.inbox.TakeCredit();
    if (!done && stream.wants_room && stream.credit.allows()) {
      stream.wants_room = false;
      event = Event::kRoom;
    } else if (!stream.inbox.empty()) {
      if (!stream.pauses) {
        message = stream.inbox.Take();
        event = Event::kMessage;
      }
    } else if (done) {
      event = Event::kEnd;
    }
  }
  if (credit != 0) GiveStreamCredit(call.id, credit);
  if (event != Event::kMessage || ParseMessage(message.data(), message.size(), *incoming)) {
    return event;
  }
  Break(call, BadMessage(call, *incoming, message.size()));
  return NextEvent(call, incoming);
}

bool Caller::WriteNow(PendingCall& call, const MessageLite& message) {
  StreamState& stream = *call.stream;
  const size_t size = message.ByteSizeLong();
  {
    MutexLock lock(mutex_);
    if (call.done.load(std::memory_order_relaxed) || stream.no_more) return false;
    if (!stream.credit.allows()) {
      stream.wants_room = true;
      return false;
    }
    stream.credit.Draw(size + kMessageCost);
  }
  FrameHeader header;
  header.type = FrameType::kMessage;
  header.call = call.id;
  absl::Status sent = sender_.Send(header, message, size, call.deadline, Sender::When::kSoon);
  if (!sent.ok() && transport_.close_reason().ok()) {
    Fail(call, FailedHere(call.method, sent, Sent::kMaybe));
  }
  return sent.ok();
}

void Caller::EndWrites(PendingCall& call) {
  {
    MutexLock lock(mutex_);
    if (call.done.load(std::memory_order_relaxed)) return;
    if (std::exchange(call.stream->no_more, true)) return;
  }
  FrameHeader header;
  header.type = FrameType::kMessage;
  header.flags = kFlagEnd | kFlagEmpty;
  header.call = call.id;
  sender_.SendEmpty(header, call.deadline, Sender::When::kSoon).IgnoreError();
}

void Caller::WantRoom(PendingCall& call) {
  MutexLock lock(mutex_);
  call.stream->wants_room = true;
}

void Caller::SetReads(PendingCall& call, bool reads) {
  MutexLock lock(mutex_);
  call.stream->pauses = !reads;
}

void Caller::CancelEvents(PendingCall& call) {
  MutexLock lock(mutex_);
  if (call.done.load(std::memory_order_relaxed)) return;
  call.cancel_is_due = call.completing;
  EndHere(call, Cancelled());
}

void Caller::CancelAndForget(PendingCall& call) {
  CancelEvents(call);
  MutexLock lock(mutex_);
  if (call.done.load(std::memory_order_relaxed)) Forget(call);
}

// Its end may wait behind messages that are not wanted.
void Caller::Forget(PendingCall& call) {
  if (call.stream->inbox.empty()) return;
  call.stream->inbox.Clear();
  call.stream->broken = FailedHere(call.method, Cancelled(), Sent::kMaybe);
}

absl::Status Caller::FinishEvents(PendingCall& call) {
  absl::Status status = FinishSlowly(call);
  return status.ok() ? call.stream->broken : status;
}

}  // namespace ferry::internal
