// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/connection.h"

#include <algorithm>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ferry/rpc/internal/hello.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/internal/metadata_codec.h"
#include "ferry/rpc/internal/status_codec.h"

namespace ferry::internal {
namespace {

ConnectionOptions Sane(ConnectionOptions options) {
  options.max_message = std::min(options.max_message, kHighestMaxMessage);
  options.stream_credit = SaneStreamCredit(options.stream_credit);
  return options;
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, Side side,
                       const ConnectionOptions& options, RequestSink* sink, Mutex* mutex)
    : transport_(std::move(transport)),
      side_(static_cast<uint32_t>(side)),
      options_(Sane(options)),
      sink_(sink),
      sender_(*transport_, options_.max_message),
      caller_(mutex == nullptr ? own_mutex_ : *mutex, *transport_, sender_, *this,
              {side_, options_.max_message, options_.keepalive,
               options_.looks_after_pause && sink == nullptr,
               sink == nullptr ? nullptr : sink->reader()}) {
  // Who calls and does not serve reads on: it is what the peer waits for.
  if (sink_ != nullptr) transport_->set_max_queued(options_.max_memory);
  FrameHeader header;
  header.type = FrameType::kHello;
  header.method = kHelloMagic;
  // If it cannot be sent, the first read says why.
  wire::Hello hello =
      MakeHello(options_.max_message, options_.request_credit, options_.stream_credit);
  sender_.Send(header, hello, Deadline::min()).IgnoreError();
}

absl::Status Connection::AwaitHello(Deadline deadline) {
  while (!greeted_) {
    Step step = HandleNext();
    if (step == Step::kClosed) return close_reason();
    if (step == Step::kHandled) continue;
    if (HasPassed(deadline)) return absl::DeadlineExceededError("no hello");
    WaitForFrames(deadline, false);
  }
  return absl::OkStatus();
}

void Connection::WaitForFrames(Deadline deadline, bool interruptible, const Aside* aside) {
  Spinner::Look look = transport_->polls_memory() ? Spinner::Look::kMemory : Spinner::Look::kCall;
  auto has_news = [&] { return transport_->Poll() || (aside != nullptr && aside->is_wanted()); };
  if (spinner_.Spin(look, transport_->spin_limit(), deadline, has_news)) return;
  WaitOptions wait;
  wait.deadline = deadline;
  wait.interruptible = interruptible;
  transport_->Wait(wait);
  spinner_.HasSlept();
}

void Connection::TakeIn() {
  WaitOptions look;
  look.deadline = Deadline::min();
  transport_->Wait(look);
}

Connection::Step Connection::HandleNext() {
  // A child that has returned from its parent's handler: what it read and answered over
  // shared memory, it would read and answer in the parent's place.
  if (caller_.IsForked()) return Step::kClosed;
  Frame frame;
  switch (transport_->TryRead(frame)) {
    case ReadResult::kEmpty:
      return Step::kEmpty;
    case ReadResult::kClosed:
      return Step::kClosed;
    case ReadResult::kFrame:
      break;
  }
  Body body(*transport_, frame);
  if (absl::Status handled = HandleFrame(frame, body); !handled.ok()) Close(handled);
  return Step::kHandled;
}

absl::Status Connection::HandleFrame(const Frame& frame, Body& body) {
  const FrameHeader& header = frame.header;
  if (!greeted_) return HandleFirst(frame, body);
  if (static_cast<uint8_t>(header.type) >= kFirstSkippableType) return absl::OkStatus();
  return header.call.value == 0 ? HandleOfConnection(header, body) : HandleOfCall(frame, body);
}

absl::Status Connection::HandleOfConnection(const FrameHeader& header, const Body& body) {
  switch (header.type) {
    case FrameType::kHello:
      return absl::DataLossError("broken frame: a second hello");
    case FrameType::kPing:
      HandlePing(header);
      return absl::OkStatus();
    case FrameType::kCredit:
      caller_.OnCredit(header.arg);
      return absl::OkStatus();
    case FrameType::kGoAway:
      return HandleGoAway(header, body);
    default:
      return UnexpectedFrame(header, "without a call");
  }
}

absl::Status Connection::HandleOfCall(const Frame& frame, Body& body) {
  const FrameHeader& header = frame.header;
  if (header.call.generation() == 0 || header.call.index() == kMaxCalls) {
    return UnexpectedFrame(header, "with an id that nobody can have given");
  }
  if (header.type == FrameType::kContinue) return HandleContinue(frame, body);
  if (!partial_.empty() && header.type != FrameType::kCredit &&
      partial_.contains(header.call.value)) {
    return UnexpectedFrame(header, "in the middle of a message");
  }
  if (absl::Status checked = CheckDirection(header); !checked.ok()) return checked;
  if ((header.flags & kFlagMore) == 0) return Deliver(header, body);
  if (header.call.opener() == side_) {
    if (absl::Status begun = caller_.OnFirstFragment(header); !begun.ok()) return begun;
  }
  if (partial_.size() == 2 * kMaxCalls) return UnexpectedFrame(header, "beyond the last call");
  Partial& partial = partial_[header.call.value];
  partial.header = header;
  return AddFragment(partial, frame);
}

// Who may send what, and what its flags say together with the type.
absl::Status Connection::CheckDirection(const FrameHeader& header) const {
  const bool is_to_caller = header.call.opener() == side_;
  const bool ends = (header.flags & kFlagEnd) != 0;
  switch (header.type) {
    case FrameType::kRequest:
      if (is_to_caller) return UnexpectedFrame(header, "with an id of the receiver");
      if ((header.flags & kFlagOneWay) != 0 && !ends)
        return UnexpectedFrame(header, "without its end");
      break;
    case FrameType::kCancel:
      if (is_to_caller) return UnexpectedFrame(header, "to a call of the receiver");
      break;
    case FrameType::kReply:
      if (!is_to_caller) return UnexpectedFrame(header, "to a call of the replier");
      if ((header.flags & kFlagEmpty) != 0 && header.aux != 0) {
        return UnexpectedFrame(header, "with a status code and without a status");
      }
      break;
    case FrameType::kMessage:
      if (is_to_caller && ends) return UnexpectedFrame(header, "with an end of the callee's");
      if ((header.flags & kFlagEmpty) != 0 && !ends)
        return UnexpectedFrame(header, "without a message");
      break;
    case FrameType::kMetadata:
      if (!is_to_caller && (header.flags & kFlagTrailing) != 0) {
        return UnexpectedFrame(header, "of a caller, and trailing");
      }
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

absl::Status Connection::HandleFirst(const Frame& frame, const Body& body) {
  const FrameHeader& header = frame.header;
  if (header.type == FrameType::kHello) return HandleHello(body);
  if (header.type == FrameType::kGoAway && header.aux != 0) return DecodeStatus(header.aux, body);
  return UnexpectedFrame(header, "before the hello");
}

absl::Status Connection::HandleHello(const Body& body) {
  absl::StatusOr<wire::Hello> hello = ReadHello(body);
  if (!hello.ok()) return hello.status();
  if (hello->max_message() != 0) sender_.set_peer_max_message(hello->max_message());
  caller_.StartCredit(hello->request_credit(), hello->stream_credit());
  greeted_ = true;
  if (sink_ != nullptr) sink_->OnGreeted(hello->stream_credit());
  return absl::OkStatus();
}

// With a status it is the last frame.
absl::Status Connection::HandleGoAway(const FrameHeader& header, const Body& body) {
  absl::Status said = DecodeStatus(
      header.aux == 0 ? static_cast<uint16_t>(absl::StatusCode::kUnavailable) : header.aux, body);
  absl::Status why(said.code(), said.message().empty()
                                    ? absl::StrCat(peer().description, " is shutting down")
                                    : absl::StrCat(peer().description, ": ", said.message()));
  if (header.aux == 0) {
    caller_.OnGoAway(why);
    return absl::OkStatus();
  }
  caller_.RefuseAll(why);
  return why;
}

void Connection::HandlePing(const FrameHeader& header) {
  if ((header.flags & kFlagAck) != 0 || said_last_.load(std::memory_order_relaxed)) return;
  FrameHeader answer = header;
  answer.flags = kFlagAck;
  sender_.SendControl(answer);
}

void Connection::GiveCredit(uint32_t bytes) {
  if (bytes == 0 || !counts_credit() || caller_.IsForked()) return;
  FrameHeader header;
  header.type = FrameType::kCredit;
  header.arg = bytes;
  sender_.SendControl(header);
}

void Connection::Reply(CallId call, const absl::Status& status,
                       const google::protobuf::MessageLite* reply, uint32_t credit) {
  if (caller_.IsForked()) return;  // a child that has returned from its parent's handler
  if (!status.ok()) {
    ReplyError(call, status, credit);
    return;
  }
  FrameHeader header;
  header.type = FrameType::kReply;
  header.call = call;
  header.arg = credit;
  if (reply == nullptr) {
    header.flags = kFlagEmpty;
    sender_.SendEmpty(header, kNoDeadline, Sender::When::kSoon).IgnoreError();
    return;
  }
  absl::Status sent =
      sender_.Send(header, *reply, reply->ByteSizeLong(), kNoDeadline, Sender::When::kSoon);
  if (!sent.ok() && close_reason().ok()) ReplyError(call, sent, credit);
}

absl::Status Connection::SendMessage(CallId call, const google::protobuf::MessageLite& message,
                                     Sender::When when) {
  if (caller_.IsForked()) return ForkMark::Refuse("the call");
  FrameHeader header;
  header.type = FrameType::kMessage;
  header.call = call;
  return sender_.Send(header, message, message.ByteSizeLong(), kNoDeadline, when);
}

absl::Status Connection::SendMetadata(CallId call, const Metadata& metadata, uint8_t flags) {
  if (caller_.IsForked()) return ForkMark::Refuse("the call");
  FrameHeader header;
  header.type = FrameType::kMetadata;
  header.flags = flags;
  header.call = call;
  return sender_.Send(header, EncodeMetadata(metadata), kNoDeadline);
}

void Connection::GiveStreamCredit(CallId call, uint32_t bytes) {
  if (caller_.IsForked()) return;
  FrameHeader header;
  header.type = FrameType::kCredit;
  header.call = call;
  header.arg = bytes;
  sender_.SendControl(header);
}

void Connection::ReplyError(CallId call, const absl::Status& status, uint32_t credit) {
  if (caller_.IsForked() || said_last_.load(std::memory_order_relaxed)) return;
  FrameHeader header;
  header.type = FrameType::kReply;
  header.call = call;
  header.aux = static_cast<uint16_t>(status.code());
  header.arg = counts_credit() ? credit : 0;
  if (sender_.Send(header, EncodeStatus(status), kNoDeadline).ok()) return;
  // An error beyond what the peer takes in goes without its text.
  sender_.Send(header, wire::Status(), kNoDeadline).IgnoreError();
}

void Connection::SendGoAway(const absl::Status& why) {
  if (caller_.IsForked()) return;
  if (!why.ok()) said_last_.store(true, std::memory_order_relaxed);
  GoAway(sender_, why);
}

void Connection::Close(const absl::Status& reason) {
  if (caller_.IsForked()) return;  // it is the parent's
  transport_->Close(reason);
  caller_.FailAll(transport_->close_reason());
}

}  // namespace ferry::internal
