// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/stream_call.h"

#include <utility>

#include "ferry/transport/internal/fork.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

StreamCall::StreamCall(std::shared_ptr<ChannelBase> channel, const Method& method,
                       const MessageLite* request, size_t request_size, MessageLite* reply,
                       size_t stream_credit)
    : channel_(std::move(channel)),
      state_(stream_credit),
      call_(method, request, request_size, reply) {
  call_.stream = &state_;
}

StreamCall::~StreamCall() {
  if (!is_open()) return;
  registration_.End();
  caller_->Drop(call_);
  channel_->AfterStream(*caller_);
}

absl::Status StreamCall::Start(Caller& caller, std::shared_ptr<void> hold,
                               Cancellation* cancellation, Deadline deadline) {
  hold_ = std::move(hold);
  deadline_ = deadline;
  caller_ = &caller;
  call_.cancellation = cancellation == nullptr ? nullptr : &registration_;
  if (!registration_.Begin(cancellation, *this)) caller.Cancel(call_);
  absl::Status started = caller.Start(call_, deadline);
  if (!started.ok()) caller_ = nullptr;
  return started;
}

bool StreamCall::Read(MessageLite& message) {
  return is_open() && caller_->Read(call_, message, deadline_);
}

bool StreamCall::Write(const MessageLite& message) {
  return is_open() && caller_->Write(call_, message, deadline_);
}

bool StreamCall::WritesDone() { return is_open() && caller_->WritesDone(call_, deadline_); }

absl::Status StreamCall::Finish() {
  if (caller_ == nullptr) return failed_;
  if (caller_->IsForked()) return ForkMark::Refuse("the stream");
  return caller_->FinishStream(call_, deadline_);
}

void StreamCall::Cancel() {
  if (is_open()) OnCancel();
}

void StreamCall::OnCancel() {
  caller_->Cancel(call_);
  channel_->SendRest(*caller_);
}

}  // namespace ferry::internal
