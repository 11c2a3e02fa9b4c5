// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the client may send, and tell who calls.

#include <algorithm>

#include "tests/fuzz/calling_model.h"
#include "tests/fuzz/check.h"

namespace ferry::test {

void CallingModel::OnSent(const FrameHeader& sent, std::string_view payload) {
  if (is_unclear_) return;
  FrameHeader header = sent;
  header.length = std::min(header.length, static_cast<uint32_t>(kMaxFrame));
  Check(ValidateFrameHeader(header, kMaxFrame).ok(), "the client sends valid headers");
  Check((header.flags & kFlagMore) == 0, "the transport cuts messages, nobody else");
  bool is_hello = header.type == FrameType::kHello;
  Check(said_hello_ != is_hello, "the client says hello, first and once");
  said_hello_ = true;
  if (is_hello) return;
  Check(payload.size() <= server_max_message_, "the client keeps to what the server takes");
  Check(metadata_of_.value == 0 ||
            (header.type == FrameType::kRequest && header.call == metadata_of_),
        "metadata go directly before their request");
  if (header.call.value == 0 || header.call.opener() == 1) return CheckOfServer(header);
  if (header.type == FrameType::kRequest) return CheckRequest(header, payload);
  if (header.type == FrameType::kMetadata) return CheckMetadata(header, payload);
  Call* call = FindOpen(header.call);
  bool is_cancel = header.type == FrameType::kCancel;
  if (call == nullptr && is_cancel) {  // it has crossed the reply
    for (Call& other : calls_) {
      if (other.id == header.call) call = &other;
    }
  }
  Check(call != nullptr, "the client sends for open calls only");
  if (is_cancel) {
    Check(!call->is_cancelled, "a call is cancelled once");
    call->is_cancelled = true;
    call->is_strict = false;
    return;
  }
  if (header.type == FrameType::kCredit) {
    call->given += header.arg;
    call->receive_credit += header.arg;
    Check(ReturnsStream(call->method->shape), "credit is for streams");
    Check(call->given <= call->received, "credit is what was read");
    return;
  }
  Check(header.type == FrameType::kMessage, "the client sends what a caller may");
  CheckMessage(*call, header, payload);
}

void CallingModel::CheckOfServer(const FrameHeader& header) {
  if (header.call.value == 0) {
    Check(header.type == FrameType::kPing && header.flags == kFlagAck, "a client answers pings");
    Check(!pings_.empty() && pings_.front() == header.method, "a ping is answered once, in turn");
    pings_.pop_front();
    return;
  }
  auto due = replies_due_.find(header.call.value);
  Check(header.type == FrameType::kReply && header.aux == 12 && header.arg == 0,
        "who does not serve says so");
  Check(due != replies_due_.end() && due->second-- > 0, "who does not serve says so once");
}

void CallingModel::CheckRequest(const FrameHeader& header, std::string_view payload) {
  Check(!is_leaving_, "no request follows a goaway");
  uint32_t& generation = generations_[header.call.index()];
  // Those of requests that were not sent after all are left out.
  Check(header.call.generation() > generation, "generations go on");
  generation = header.call.generation();
  for (const Call& other : calls_) {
    Check(!other.is_open || other.id.index() != header.call.index(), "an index is used once");
  }
  if (metadata_of_.value == 0 && counts_requests_) {
    Check(request_credit_ > 0, "a request needs credit");
  }
  metadata_of_ = {};
  request_credit_ -= static_cast<int64_t>(payload.size());
  Call call;
  call.id = header.call;
  auto method = methods_.find(header.method);
  Check(method != methods_.end(), "the client calls what there is");
  call.method = method->second;
  call.has_ended = (header.flags & kFlagEnd) != 0;
  call.is_strict = header.arg == 0;
  call.send_credit =
      static_cast<int64_t>(std::min(server_stream_credit_, static_cast<uint64_t>(INT64_MAX)));
  call.receive_credit = static_cast<int64_t>(stream_credit_);
  CheckShape(call, header);
  calls_.push_back(std::move(call));
}

void CallingModel::CheckShape(const Call& call, const FrameHeader& header) {
  bool takes_stream = TakesStream(call.method->shape);
  uint8_t flags = takes_stream ? kFlagEmpty : kFlagEnd;
  if (call.method->shape == CallShape::kOneWay) flags |= kFlagOneWay;
  Check(header.flags == flags, "a request has the flags of its method's shape");
}

void CallingModel::CheckMetadata(const FrameHeader& header, std::string_view payload) {
  wire::Metadata metadata;
  Check(payload.size() <= 65536 && metadata.ParseFromString(std::string(payload)),
        "metadata parse");
  Check(header.flags == 0, "a caller's metadata have no flags");
  Check(!counts_requests_ || request_credit_ > 0, "metadata need credit");
  request_credit_ -= static_cast<int64_t>(payload.size());
  metadata_of_ = header.call;
}

void CallingModel::CheckMessage(Call& call, const FrameHeader& header, std::string_view payload) {
  Check(TakesStream(call.method->shape), "messages are for streams");
  Check(!call.has_ended && !call.is_cancelled, "no message follows the last");
  bool is_end = header.flags == (kFlagEnd | kFlagEmpty);
  Check(is_end || header.flags == 0, "a message is one, or the end");
  call.has_ended = is_end;
  if (is_end || server_stream_credit_ == 0) return;
  Check(call.send_credit > 0, "a message needs credit");
  call.send_credit -= static_cast<int64_t>(payload.size()) + 24;
}

void CallingModel::OnRead(size_t index, std::string_view message) {
  if (is_unclear_) return;
  Call& call = calls_[index];
  Check(!call.to_read.empty(), "what is read was sent");
  wire::Status sent, read;
  Check(sent.ParseFromString(call.to_read.front()) && read.ParseFromString(std::string(message)) &&
            sent.SerializeAsString() == read.SerializeAsString(),
        "what is read was sent, in that order");
  call.to_read.pop_front();
}

void CallingModel::OnOutcome(size_t index, const absl::Status& status) {
  if (is_unclear_) return;
  const Call& call = calls_[index];
  if (status.ok() && call.method->shape != CallShape::kOneWay) {
    Check(!call.is_open && call.code == absl::StatusCode::kOk, "what succeeds was told so");
  }
  if (!call.is_open && call.is_strict) {
    Check(status.code() == call.code, "a call without fault ends as the server says");
  }
}

}  // namespace ferry::test
