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
#include "ferry/rpc/internal/status_codec.h"

namespace ferry::internal {
namespace {

ABSL_ATTRIBUTE_COLD absl::Status Unexpected(const FrameHeader& header, const char* where) {
  std::string_view type = FrameTypeName(header.type);
  return absl::DataLossError(
      absl::StrCat("broken frame: ", absl::string_view(type.data(), type.size()), " ", where));
}

ConnectionOptions Sane(ConnectionOptions options) {
  options.max_message = std::min(options.max_message, kHighestMaxMessage);
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
              {side_, options_.max_message, options_.keepalive, options_.looks_after_pause}) {
  // Who calls and does not serve reads on: it is what the peer waits for.
  if (sink_ != nullptr) transport_->set_max_queued(options_.max_memory);
  FrameHeader header;
  header.type = FrameType::kHello;
  header.method = kHelloMagic;
  // If it cannot be sent, the first read says why.
  sender_.Send(header, MakeHello(options_.max_message, options_.request_credit), Deadline::min())
      .IgnoreError();
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

void Connection::WaitForFrames(Deadline deadline, bool interruptible) {
  Spinner::Look look = transport_->polls_memory() ? Spinner::Look::kMemory : Spinner::Look::kCall;
  if (spinner_.Spin(look, transport_->spin_limit(), deadline, [&] { return transport_->Poll(); })) {
    return;
  }
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
  if (header.call.value != 0 &&
      (header.call.generation() == 0 || header.call.index() == kMaxCalls)) {
    return Unexpected(header, "with an id that nobody can have given");
  }
  switch (header.type) {
    case FrameType::kHello:
      return absl::DataLossError("broken frame: a second hello");
    case FrameType::kRequest:
      return HandleRequest(frame, body);
    case FrameType::kContinue:
      return header.call.opener() == side_ ? caller_.OnContinue(frame)
                                           : HandleContinue(frame, body);
    case FrameType::kReply:
      if (header.call.opener() != side_) return Unexpected(header, "to a call of the replier");
      return caller_.OnReply(frame, body);
    case FrameType::kPing:
      HandlePing(header);
      return absl::OkStatus();
    case FrameType::kMessage:
      return Unexpected(header, "to a call that is no stream");
    case FrameType::kCredit:
      if (header.call.value == 0) caller_.OnCredit(header.arg);
      return absl::OkStatus();
    case FrameType::kGoAway:
      return HandleGoAway(header, body);
    case FrameType::kMetadata:
    case FrameType::kCancel:
      break;
  }
  return absl::OkStatus();  // nothing that this version acts upon
}

absl::Status Connection::HandleFirst(const Frame& frame, const Body& body) {
  const FrameHeader& header = frame.header;
  if (header.type == FrameType::kHello) return HandleHello(body);
  if (header.type == FrameType::kGoAway && header.aux != 0) return DecodeStatus(header.aux, body);
  return Unexpected(header, "before the hello");
}

absl::Status Connection::HandleHello(const Body& body) {
  absl::StatusOr<wire::Hello> hello = ReadHello(body);
  if (!hello.ok()) return hello.status();
  if (hello->max_message() != 0) sender_.set_peer_max_message(hello->max_message());
  caller_.StartCredit(hello->request_credit());
  greeted_ = true;
  if (sink_ != nullptr) sink_->OnGreeted();
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

absl::Status Connection::HandleRequest(const Frame& frame, Body& body) {
  const FrameHeader& header = frame.header;
  if (header.call.opener() == side_) return Unexpected(header, "with an id of the receiver");
  if (partial_requests_.contains(header.call.value)) {
    return Unexpected(header, "in the middle of a request");
  }
  if ((header.flags & kFlagMore) == 0) {
    Deliver(header, body);
    return absl::OkStatus();
  }
  if (partial_requests_.size() == kMaxCalls) return Unexpected(header, "beyond the last call");
  PartialRequest& request = partial_requests_[header.call.value];
  request.header = header;
  return AddToRequest(request, frame);
}

absl::Status Connection::HandleContinue(const Frame& frame, Body& body) {
  auto found = partial_requests_.find(frame.header.call.value);
  if (found == partial_requests_.end()) return absl::OkStatus();  // of nothing that is read here
  absl::Status added = AddToRequest(found->second, frame);
  if (!added.ok() || !found->second.assembly.complete()) return added;
  PartialRequest request = std::move(found->second);
  partial_requests_.erase(found);
  partial_bytes_ -= request.assembly.size();
  body.Release();  // the handler may hand the reading on
  if (request.header.type == FrameType::kRequest) {
    Body whole(request.assembly);
    Deliver(request.header, whole);
  } else {
    GiveCredit(request.arrived);
  }
  return absl::OkStatus();
}

// A request that is too large is answered at once, and what is still to come of it is
// dropped; its header is no request's any more.
absl::Status Connection::AddToRequest(PartialRequest& request, const Frame& frame) {
  request.arrived += frame.header.length;
  size_t before = request.assembly.size();
  absl::Status added = request.assembly.Add(frame, options_.max_message);
  partial_bytes_ += request.assembly.size() - before;
  if (added.ok() && request.header.type == FrameType::kRequest) {
    if (sink_ == nullptr) {
      added = absl::UnimplementedError("");
    } else if (partial_bytes_ > options_.max_memory) {
      added = absl::ResourceExhaustedError(
          absl::StrCat("more than ", options_.max_memory,
                       " bytes of unfinished requests (max_connection_memory)"));
      sink_->OnRefused(added);
    }
    if (added.ok()) return added;
    partial_bytes_ -= request.assembly.size();
    request.assembly.Drop();
  }
  if (added.ok() || absl::IsDataLoss(added)) return added;
  request.header.type = FrameType::kContinue;
  ReplyError(frame.header.call, added, 0);  // its credit is given back with its last fragment
  return absl::OkStatus();
}

void Connection::Deliver(const FrameHeader& header, Body& body) {
  if (body.size() > options_.max_message || sink_ == nullptr) {
    Refuse(header, body);
  } else {
    sink_->OnRequest(header, body);
  }
}

void Connection::Refuse(const FrameHeader& header, const Body& body) {
  ReplyError(header.call,
             sink_ == nullptr ? absl::UnimplementedError("")
                              : absl::ResourceExhaustedError(
                                    absl::StrCat("message of ", body.size(), " bytes, at most ",
                                                 options_.max_message, " are accepted")),
             static_cast<uint32_t>(body.size()));
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
                       const google::protobuf::MessageLite& reply, uint32_t credit) {
  if (caller_.IsForked()) return;  // a child that has returned from its parent's handler
  if (!status.ok()) {
    ReplyError(call, status, credit);
    return;
  }
  FrameHeader header;
  header.type = FrameType::kReply;
  header.call = call;
  header.arg = credit;
  absl::Status sent = sender_.Send(header, reply, kNoDeadline);
  if (!sent.ok() && close_reason().ok()) ReplyError(call, sent, credit);
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
