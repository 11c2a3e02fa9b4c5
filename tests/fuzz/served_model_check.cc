// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the server may send.

#include <algorithm>

#include "absl/status/status.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/served_model.h"

namespace ferry::test {

void ServedModel::OnSent(const FrameHeader& sent, std::string_view payload) {
  if (is_unclear_) return;
  FrameHeader header = sent;
  header.length = std::min(header.length, static_cast<uint32_t>(kMaxFrame));
  Check(ValidateFrameHeader(header, kMaxFrame).ok(), "the server sends valid headers");
  Check((header.flags & kFlagMore) == 0, "the transport cuts messages, nobody else");
  bool is_hello = header.type == FrameType::kHello;
  Check(said_hello_ != is_hello, "the server says hello, first and once");
  if (is_hello) {
    said_hello_ = true;
    return;
  }
  if (header.call.value == 0) return CheckOfConnection(header);
  Check(header.call.opener() == 0, "the server answers calls of the client");
  auto found = calls_.find(header.call.value);
  Check(found != calls_.end() && found->second.is_open, "the server sends for open calls only");
  Call& call = found->second;
  Check(payload.size() <= client_max_message_, "the server keeps to what the client takes");
  switch (header.type) {
    case FrameType::kReply:
      return CheckReply(call, header, payload);
    case FrameType::kMetadata:
      return CheckMetadata(call, header, payload);
    case FrameType::kMessage:
      return CheckMessage(call, header, payload);
    case FrameType::kCredit:
      call.given += header.arg;
      call.receive_credit += header.arg;
      Check(call.method != nullptr && TakesStream(call.method->shape), "credit is for streams");
      Check(call.given <= call.received, "credit is what was read");
      return;
    default:
      Check(false, "the server sends what a callee may");
  }
}

void ServedModel::CheckOfConnection(const FrameHeader& header) {
  if (header.type == FrameType::kCredit) return GiveBack(header.arg);
  Check(header.type == FrameType::kPing && header.flags == kFlagAck, "a server answers pings");
  Check(!pings_.empty() && pings_.front() == header.method, "a ping is answered once, in turn");
  pings_.pop_front();
}

void ServedModel::GiveBack(uint32_t bytes) {
  given_ += bytes;
  // What is unfinished was drawn, too.
  uint64_t unfinished = 0;
  for (const auto& [id, partial] : frames_.partial()) unfinished += partial.arrived;
  Check(given_ <= drawn_ + unfinished, "no more request credit is given back than was drawn");
}

void ServedModel::CheckReply(Call& call, const FrameHeader& header, std::string_view payload) {
  call.is_open = false;
  if (header.arg != 0) GiveBack(header.arg);
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  auto code = static_cast<absl::StatusCode>(header.aux);
  if (code != absl::StatusCode::kOk) {
    Check(!is_empty, "an error has a status");
    wire::Status status;
    Check(status.ParseFromString(std::string(payload)), "an error has a status that parses");
  } else {
    Check(call.method != nullptr && call.is_whole, "what succeeds has a request");
    bool wants_message = !ReturnsStream(call.method->shape) && !call.is_one_way &&
                         call.method->shape != CallShape::kOneWay;
    Check(is_empty != wants_message, "a reply has a message if the method says so");
  }
  if (!call.is_strict || limits_.memory_is_short) return;
  bool is_possible = code == absl::StatusCode::kOk || code == absl::StatusCode::kNotFound ||
                     code == absl::StatusCode::kInternal ||         // bad metadata
                     code == absl::StatusCode::kResourceExhausted;  // too large a message
  Check(is_possible, "a call without fault ends as its handler says");
}

void ServedModel::CheckMetadata(Call& call, const FrameHeader& header, std::string_view payload) {
  wire::Metadata metadata;
  Check(payload.size() <= 65536 && metadata.ParseFromString(std::string(payload)),
        "metadata parse");
  bool is_trailing = (header.flags & kFlagTrailing) != 0;
  bool& is_there = is_trailing ? call.has_trailing : call.has_initial;
  Check(!is_there && !call.has_trailing, "metadata come once, the trailing ones last");
  Check(is_trailing || !call.has_message, "initial metadata come before messages");
  is_there = true;
}

void ServedModel::CheckMessage(Call& call, const FrameHeader& header, std::string_view payload) {
  Check(call.method != nullptr && ReturnsStream(call.method->shape), "messages are for streams");
  Check(header.flags == 0, "a callee's message has no flags");
  Check(!call.has_trailing, "nothing but the reply follows trailing metadata");
  call.has_message = true;
  if (client_stream_credit_ == 0) return;
  Check(call.send_credit > 0, "a message needs credit");
  call.send_credit -= static_cast<int64_t>(payload.size()) + 24;
}

void ServedModel::OnRead(CallId id, std::string_view message) {
  if (is_unclear_) return;
  auto found = calls_.find(id.value);
  Check(found != calls_.end(), "handlers run for calls");
  std::deque<std::string>& to_read = found->second.to_read;
  if (!found->second.is_strict) return;
  Check(!to_read.empty(), "handlers read what was sent");
  wire::Status sent, read;
  Check(sent.ParseFromString(to_read.front()) && read.ParseFromString(std::string(message)) &&
            sent.SerializeAsString() == read.SerializeAsString(),
        "handlers read what was sent, in its order");
  to_read.pop_front();
}

void ServedModel::CheckBalance() const {
  if (limits_.request_credit == 0) {
    Check(given_ == 0, "who does not count gives nothing back");
    return;
  }
  uint64_t held = 0;
  for (const auto& [index, early] : early_) held += early.size;
  Check(lost_ != 0 || given_ + held == drawn_, "all request credit comes back");
}

}  // namespace ferry::test
