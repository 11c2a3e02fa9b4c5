// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The streams of a call that is served.

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/method_name.h"
#include "ferry/rpc/internal/served_call.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

bool ServedCall::Read(MessageLite& request) {
  Assembly kept;
  HandlerWait wait;
  DirectRead direct{id_, request, wait};
  uint32_t credit = 0;
  if (!TakeMessage(kept, direct, credit)) return false;
  if (credit != 0) {
    session_.connection_.GiveStreamCredit(id_, credit);
    EndSending(absl::OkStatus());
  }
  if (!direct.is_filled) {
    direct.size = kept.size();
    direct.is_valid = ParseMessage(kept.data(), kept.size(), request);
  }
  if (!direct.is_valid) EndNow(NotValid(request, direct.size));
  return direct.is_valid;
}

absl::Status ServedCall::NotValid(const MessageLite& request, size_t size) const {
  return absl::InvalidArgumentError(absl::StrCat(NameOf(*entry_.method->method), ": request of ",
                                                 size, " bytes is not a valid ",
                                                 request.GetTypeName()));
}

// Waits for it; in `message`, or read directly. With credit to be given, which counts as sending.
bool ServedCall::TakeMessage(Assembly& message, DirectRead& direct, uint32_t& credit) {
  MutexLock lock(session_.mutex_);
  shared_->reads = &direct.wait;
  while (!direct.is_filled && !shared_->has_message() && !shared_->no_more && !IsOver()) {
    AwaitNews(direct.wait, &direct);
  }
  shared_->reads = nullptr;
  if (IsOver()) return false;
  Inbox& inbox = shared_->inbox;
  if (direct.is_filled) {
    if (!inbox.Draw(direct.size)) {
      MutexUnlock unlock(session_.mutex_);
      EndNow(absl::ResourceExhaustedError("a message came without credit"));
      return false;
    }
    inbox.WasRead(direct.size);
  } else if (!TakeKept(message)) {
    return false;
  }
  if (!shared_->no_more) credit = inbox.TakeCredit();
  if (credit != 0) ++shared_->sending;
  return true;
}

// REQUIRES: the session's lock.
bool ServedCall::TakeKept(Assembly& message) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (std::exchange(shared_->has_first, false)) {
    message = std::move(shared_->first);
    return true;
  }
  Inbox& inbox = shared_->inbox;
  if (inbox.empty()) return false;
  session_.held_bytes_ -= inbox.bytes();
  message = inbox.Take();
  session_.held_bytes_ += inbox.bytes();
  return true;
}

// REQUIRES: the session's lock, which is not held meanwhile.
void ServedCall::AwaitNews(HandlerWait& wait, DirectRead* direct) {
  wait.Reset();
  MutexUnlock unlock(session_.mutex_);
  if (leader_ != nullptr && leader_->is_current()) {
    NoteRun();
    leader_->Await(session_, wait, deadline_, direct);
    if (entry_.pace->is_slow()) measured_from_ = std::chrono::steady_clock::now();
  } else {
    wait.Sleep(deadline_);  // on a thread that the handler has started
  }
  if (HasPassed(deadline_)) EndNow(TooLate());
}

bool ServedCall::Write(const MessageLite& reply) {
  size_t size = reply.ByteSizeLong();
  return BeginSending(size + kMessageCost) && SendMessage(reply, Sender::When::kNow);
}

// What EndSending is to follow, and does here.
bool ServedCall::SendMessage(const MessageLite& reply, Sender::When when) {
  absl::Status sent = SendInitial();
  if (sent.ok()) sent = session_.connection_.SendMessage(id_, reply, when);
  size_t limit = session_.entrance_->options.max_connection_memory;
  if (sent.ok() && session_.connection_.transport().queued() > limit) {
    // Credit bounds each stream, but not how many there are, nor a peer that counts none.
    sent = absl::ResourceExhaustedError(absl::StrCat(
        "more than ", limit, " bytes wait for the client to read (max_connection_memory)"));
  }
  return EndSending(sent);
}

bool ServedCall::SendInitialMetadata() {
  if (sent_initial_ || !BeginSending(0)) return false;
  sent_initial_ = true;
  return EndSending(SendMetadata(initial_metadata(), 0));
}

// Waits for credit, unless it costs nothing. False when the call has ended.
bool ServedCall::BeginSending(size_t cost) {
  ShareNow();
  HandlerWait wait;
  MutexLock lock(session_.mutex_);
  if (shared_ == nullptr) return false;
  shared_->writes = &wait;
  while (cost != 0 && !shared_->credit.allows() && !IsOver()) AwaitNews(wait, nullptr);
  shared_->writes = nullptr;
  if (IsOver()) return false;
  shared_->credit.Draw(cost);
  ++shared_->sending;
  return true;
}

// Who has ended the call meanwhile has left it to this thread to say so. What could not be sent
// ends it, too.
bool ServedCall::EndSending(const absl::Status& sent) {
  absl::Status owed;
  {
    MutexLock lock(session_.mutex_);
    if (--shared_->sending == 0) {
      if (!shared_->owed.ok()) {
        owed = std::exchange(shared_->owed, absl::OkStatus());
        shared_->ended = true;
        Unregister();
      }
      if (shared_->awaits_sent) session_.callback_done_.NotifyAll();
    }
  }
  if (!owed.ok()) session_.connection_.ReplyError(id_, owed, 0);
  if (!sent.ok() && !session_.is_gone()) EndNow(sent);
  return sent.ok();
}

// Until no callback runs, and nothing is being sent, which would follow the reply. REQUIRES: the
// session's lock, and that this thread is not sending.
void ServedCall::AwaitOthers() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  shared_->awaits_sent = true;
  for (AwaitCallback(); shared_->sending != 0; AwaitCallback()) {
    session_.callback_done_.Wait(session_.mutex_);
  }
}

// Not for who reads: its own wait may be for this call.
void ServedCall::EndNow(const absl::Status& status) {
  std::vector<Ending> endings;
  {
    MutexLock lock(session_.mutex_);
    endings.push_back(EndEarly(status, true));
  }
  Finish(session_, endings);
  session_.connection_.transport().Interrupt();
}

absl::Status ServedCall::AddMessage(const FrameHeader& header, bool is_empty,
                                    Assembly message) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TakesStream(entry_.method->method->shape) || shared_->no_more) {
    return absl::UnimplementedError(
        absl::StrCat(NameOf(*entry_.method->method), ": more requests than it takes"));
  }
  shared_->no_more = (header.flags & kFlagEnd) != 0;
  if (!is_empty) {
    const ServerOptions& options = session_.entrance_->options;
    size_t size = message.size();
    if (size > options.max_message || message.dropped()) {
      return absl::ResourceExhaustedError(absl::StrCat("message of ", size, " bytes, at most ",
                                                       options.max_message, " are accepted"));
    }
    if (!shared_->inbox.Draw(size)) {
      return absl::ResourceExhaustedError("a message came without credit");
    }
    session_.held_bytes_ += size + kMessageCost;
    shared_->inbox.Put(std::move(message));
    if (session_.held_bytes_ > options.max_connection_memory) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", options.max_connection_memory,
                       " bytes of requests and messages wait (max_connection_memory)"));
    }
  }
  if (shared_->reads != nullptr) shared_->reads->Tell();
  return absl::OkStatus();
}

void ServedCall::AddCredit(uint32_t bytes) {
  shared_->credit.Give(bytes);
  if (shared_->writes != nullptr) shared_->writes->Tell();
}

Turns* ServedCall::ClaimTurns() {
  Turns* turns = shared_->turns;
  return turns != nullptr && turns->Claim() ? turns : nullptr;
}

}  // namespace ferry::internal
