// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the peer sends for calls of ours.

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/metadata_codec.h"

namespace ferry::internal {

// The caller keeps a call until its reply, so that this cannot have crossed anything.
absl::Status Caller::NotOpen(const FrameHeader& header) {
  std::string_view type = FrameTypeName(header.type);
  return absl::DataLossError(
      absl::StrCat("broken frame: ", absl::string_view(type.data(), type.size()),
                   " to a call that is not open"));
}

// The call that a reply is for, which then stays until it is done. Null for a caller that has
// gone: it left nothing but its id. The id goes with the reply.
absl::StatusOr<PendingCall*> Caller::BeginCompleting(const FrameHeader& header) {
  MutexLock lock(mutex_);
  CallTable::Slot* slot = calls_.Find(header.call);
  if (slot == nullptr) return NotOpen(header);
  PendingCall* call = slot->call;
  if (call != nullptr) call->completing = true;
  if (direct_ != nullptr && direct_->call == header.call) direct_ = nullptr;  // nothing follows
  if (header.arg != 0) GiveCredit(header.arg);
  calls_.Remove(*slot, header.call);
  return call;
}

void Caller::StopCompleting(PendingCall& call) {
  MutexLock lock(mutex_);
  call.completing = false;
  if (call.cancel_is_due && EndHere(call, Cancelled())) return;  // it may be gone
  call.wait.Tell();
  if (call.stream != nullptr && call.stream->reads != nullptr) call.stream->reads->Tell();
}

// The outcome is known, and the id has gone. Another thread's call may be destroyed as
// soon as it can see `done`, which is when the lock is free again.
void Caller::Complete(PendingCall& call) {
  if (&call == own_.call) {
    call.done.store(true, std::memory_order_relaxed);
    return;
  }
  if (Completion* completion = call.completion; completion != nullptr) {
    bool runs;
    if (completion->ends_locked()) {
      // The call is its own behind OnReply.
      MutexLock lock(mutex_);
      call.done.store(true, std::memory_order_release);
      if (call.cancel_is_due && call.stream != nullptr) Forget(call);
      call.wait.Tell();
      runs = completion->OnReply();
    } else {
      runs = completion->OnReply();
    }
    if (runs) completion->RunOnReader();
    return;
  }
  MutexLock lock(mutex_);
  if (own_.wakes_later && call.stream == nullptr) {
    call.done.store(true, std::memory_order_release);
    call.wait.waiter.is_due = own_.has_due = true;
    return;
  }
  SetDone(call);
}

absl::Status Caller::OnFirstFragment(const FrameHeader& header) {
  MutexLock lock(mutex_);
  CallTable::Slot* slot = calls_.Find(header.call);
  if (slot == nullptr) return NotOpen(header);
  bool is_metadata = header.type == FrameType::kMetadata;  // which tells by itself when it is here
  if (slot->call != nullptr && !is_metadata) slot->call->has_answer = true;
  return absl::OkStatus();
}

bool Caller::IsWantedStill(CallId call) {
  MutexLock lock(mutex_);
  CallTable::Slot* slot = calls_.Find(call);
  return slot != nullptr && slot->call != nullptr;
}

absl::Status Caller::OnReply(const FrameHeader& header, Body& body) {
  if (own_.call != nullptr && header.call == own_.call->id && !body.is_assembled() &&
      !own_.call->done.load(std::memory_order_acquire)) {
    own_.outcome = Outcome(*own_.call, header, body);
    own_.credit = header.arg;
    own_.is_here = true;
    body.Release();
    return absl::OkStatus();
  }
  absl::StatusOr<PendingCall*> begun = BeginCompleting(header);
  if (!begun.ok() || *begun == nullptr) return begun.status();
  PendingCall* call = *begun;
  if (body.is_assembled()) {
    call->reply_header = header;
    call->assembly = body.Take();
  } else {
    call->status = Outcome(*call, header, body);
    body.Release();
  }
  Complete(*call);
  return absl::OkStatus();
}

absl::Status Caller::OnMessage(const FrameHeader& header, Body& body) {
  if (direct_ != nullptr && direct_->call == header.call && !direct_->is_filled &&
      body.size() <= options_.max_message) {
    direct_->size = body.size();
    direct_->is_valid = ParseMessage(body.data(), body.size(), direct_->message);
    direct_->is_filled = true;
    return absl::OkStatus();
  }
  Assembly message = body.Take();
  uint32_t credit = 0;
  Turns* turns = nullptr;
  {
    MutexLock lock(mutex_);
    CallTable::Slot* slot = calls_.Find(header.call);
    if (slot == nullptr) return NotOpen(header);
    if (slot->call != nullptr) turns = Keep(*slot->call, std::move(message), credit);
  }
  if (credit != 0) GiveStreamCredit(header.call, credit);
  if (turns != nullptr) turns->RunOnReader();
  return absl::OkStatus();
}

// What ends the call here is told to the peer by the thread that waits for it.
Turns* Caller::Keep(PendingCall& call, Assembly message, uint32_t& credit) {
  call.has_answer = true;
  if (call.stream == nullptr || call.reply != nullptr) {
    EndHere(call, absl::UnimplementedError("the reply to it is a stream, expected one message"));
    return nullptr;
  }
  Inbox& inbox = call.stream->inbox;
  size_t size = message.size();
  if (size > options_.max_message || message.dropped() || !inbox.Draw(size)) {
    EndHere(call, absl::ResourceExhaustedError(absl::StrCat(
                      "message of ", size, " bytes, which is too large or came without credit")));
  } else if (call.stream->drops_all) {
    inbox.WasRead(size);
    credit = inbox.TakeCredit();
  } else {
    inbox.Put(std::move(message));
    if (call.stream->reads != nullptr) call.stream->reads->Tell();
    if (call.stream->turns != nullptr && call.stream->turns->Claim()) return call.stream->turns;
  }
  return nullptr;
}

absl::Status Caller::OnMetadata(const FrameHeader& header, const Body& body) {
  if (body.size() > Metadata::kMaxBytes) return OnTooLarge(header, TooMuchMetadata(body.size()));
  bool is_trailing = (header.flags & kFlagTrailing) != 0;
  PendingCall* call;
  Metadata* wanted;
  {
    MutexLock lock(mutex_);
    CallTable::Slot* slot = calls_.Find(header.call);
    if (slot == nullptr) return NotOpen(header);
    call = slot->call;
    if (call == nullptr) return absl::OkStatus();
    bool& is_there = is_trailing ? call->has_trailing_metadata : call->has_initial_metadata;
    if (is_there || (!is_trailing && call->has_answer)) {
      return absl::DataLossError("broken frame: metadata twice, or too late");
    }
    is_there = call->has_answer = true;
    wanted = is_trailing ? call->trailing_metadata : call->initial_metadata;
    if (wanted == nullptr) return absl::OkStatus();
    call->completing = true;
  }
  bool decoded = DecodeMetadata(body.data(), body.size(), *wanted);
  StopCompleting(*call);
  if (decoded) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("broken frame: metadata of ", body.size(), " bytes cannot be parsed"));
}

absl::Status Caller::OnStreamCredit(const FrameHeader& header) {
  Turns* turns = nullptr;
  {
    MutexLock lock(mutex_);
    CallTable::Slot* slot = calls_.Find(header.call);
    if (slot == nullptr) return NotOpen(header);
    if (slot->call == nullptr || slot->call->stream == nullptr) return absl::OkStatus();
    StreamState& stream = *slot->call->stream;
    stream.credit.Give(header.arg);
    if (stream.writes != nullptr) stream.writes->Tell();
    if (stream.wants_room && stream.turns->Claim()) turns = stream.turns;
  }
  if (turns != nullptr) turns->RunOnReader();
  return absl::OkStatus();
}

}  // namespace ferry::internal
