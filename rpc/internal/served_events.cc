// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The streams of a call that is served, and left to a reactor.

#include <utility>

#include "ferry/rpc/internal/kept_stream.h"
#include "ferry/rpc/internal/served_call.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

void ServedCall::LeaveTo(StreamReactor& reactor) {
  ShareNow();
  {
    MutexLock lock(session_.mutex_);  // another thread may be about to share it
    if (shared_ == nullptr) {         // it was called as a one-way one, and has been answered
      shared_ = std::make_unique<Shared>(1);
      shared_->ended = true;
    }
  }
  KeptStream::Begin(session_, *this, reactor);
}

void ServedCall::set_turns(Turns* turns) {
  MutexLock lock(session_.mutex_);
  shared_->turns = turns;
}

// One message at a time, so that what it has drawn of our credit is given back when it has been
// told: with the next look. Credit counts as sending.
ServedCall::Event ServedCall::NextEvent(MessageLite* incoming) {
  Event event = Event::kNone;
  Assembly message;
  uint32_t credit = 0;
  {
    MutexLock lock(session_.mutex_);
    if (IsOver()) return std::exchange(shared_->told_end, true) ? event : Event::kCancelled;
    Inbox& inbox = shared_->inbox;
    if (!shared_->no_more) credit = inbox.TakeCredit();
    if (credit != 0) ++shared_->sending;
    if (shared_->wants_room && shared_->credit.allows()) {
      shared_->wants_room = false;
      event = Event::kRoom;
    } else if (!shared_->pauses && TakeKept(message)) {
      event = Event::kMessage;
    } else if (!shared_->pauses && shared_->no_more && !std::exchange(shared_->told_done, true)) {
      event = Event::kReadsDone;
    }
  }
  if (credit != 0) {
    session_.connection_.GiveStreamCredit(id_, credit);
    EndSending(absl::OkStatus());
  }
  if (event != Event::kMessage || ParseMessage(message.data(), message.size(), *incoming)) {
    return event;
  }
  EndNow(NotValid(*incoming, message.size()));
  return NextEvent(incoming);
}

bool ServedCall::WriteNow(const MessageLite& reply) {
  const size_t size = reply.ByteSizeLong();
  {
    MutexLock lock(session_.mutex_);
    if (IsOver()) return false;
    if (!shared_->credit.allows()) {
      shared_->wants_room = true;
      return false;
    }
    shared_->credit.Draw(size + kMessageCost);
    ++shared_->sending;
  }
  return SendMessage(reply, Sender::When::kSoon);
}

void ServedCall::SetReads(bool reads) {
  MutexLock lock(session_.mutex_);
  shared_->pauses = !reads;
}

}  // namespace ferry::internal
