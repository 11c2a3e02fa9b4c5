// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the server sends.

#include "tests/fuzz/calling_model.h"

#include <algorithm>
#include <cstdint>

#include "tests/fuzz/check.h"

namespace ferry::test {
namespace {

constexpr int64_t kMessageCost = 24;

int64_t AsCredit(uint64_t bytes) {
  return static_cast<int64_t>(std::min(bytes, static_cast<uint64_t>(INT64_MAX)));
}

bool Parses(std::string_view payload) {
  return wire::Status().ParseFromString(std::string(payload));
}

}  // namespace

void CallingModel::OnHello(const wire::Hello& hello) {
  server_stream_credit_ = hello.stream_credit();
  if (hello.max_message() != 0) server_max_message_ = hello.max_message();
  counts_requests_ = hello.request_credit() != 0;
  request_credit_ += AsCredit(hello.request_credit());
}

void CallingModel::OnCredit(uint32_t bytes) {
  request_credit_ = std::min(request_credit_, INT64_MAX - bytes) + bytes;
}

CallingModel::Call* CallingModel::FindOpen(CallId id) {
  for (Call& call : calls_) {
    if (call.is_open && call.id == id) return &call;
  }
  return nullptr;
}

Fate CallingModel::OnFirst(const FrameHeader& header) {
  if (header.call.opener() == 1) {
    if (header.type == FrameType::kRequest) ++replies_due_[header.call.value];
    return Fate::kGoesOn;
  }
  Call* call = FindOpen(header.call);
  if (call == nullptr) return Fate::kBroken;
  if (header.type != FrameType::kMetadata) call->has_answer = true;
  return Fate::kGoesOn;
}

Fate CallingModel::OnWhole(const FrameHeader& header, std::string_view payload, bool was_refused) {
  if (header.call.opener() == 1) return OnOfServer(header);
  Call* call = FindOpen(header.call);
  if (call == nullptr) return Fate::kBroken;
  switch (header.type) {
    case FrameType::kReply:
      return OnReply(*call, header, payload, was_refused);
    case FrameType::kMessage:
      return OnMessage(*call, payload, was_refused);
    case FrameType::kMetadata:
      return OnMetadata(*call, header, payload, was_refused);
    default:
      call->send_credit = std::min(call->send_credit, INT64_MAX - header.arg) + header.arg;
      return Fate::kGoesOn;
  }
}

// Who calls and does not serve answers that it does not.
Fate CallingModel::OnOfServer(const FrameHeader& header) {
  uint32_t& metadata = server_metadata_[header.call.index()];
  if (header.type == FrameType::kMetadata) {
    if (metadata == header.call.value) return Fate::kBroken;
    metadata = header.call.value;
  } else if (header.type == FrameType::kRequest) {
    metadata = 0;
    if ((header.flags & kFlagMore) == 0) ++replies_due_[header.call.value];
  }
  return Fate::kGoesOn;
}

Fate CallingModel::OnReply(Call& call, const FrameHeader& header, std::string_view payload,
                           bool was_refused) {
  call.is_open = false;
  call.code = static_cast<absl::StatusCode>(header.aux);
  OnCredit(header.arg);
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  CallShape shape = call.method->shape;
  bool wants_message = !ReturnsStream(shape) && shape != CallShape::kOneWay;
  if (header.aux == 0 && wants_message == is_empty) call.is_strict = false;
  if (was_refused || !Parses(payload)) call.is_strict = false;
  return Fate::kGoesOn;
}

Fate CallingModel::OnMessage(Call& call, std::string_view payload, bool was_refused) {
  call.has_answer = true;
  if (!ReturnsStream(call.method->shape) || was_refused || call.receive_credit <= 0 ||
      !Parses(payload)) {
    call.is_strict = false;
  }
  int64_t cost = static_cast<int64_t>(payload.size()) + kMessageCost;
  call.receive_credit -= cost;
  call.received += static_cast<uint64_t>(cost);
  call.to_read.emplace_back(payload);
  return Fate::kGoesOn;
}

// Twice, or too late, or none: that is found when somebody wants them.
Fate CallingModel::OnMetadata(Call& call, const FrameHeader& header, std::string_view payload,
                              bool was_refused) {
  bool is_trailing = (header.flags & kFlagTrailing) != 0;
  bool& is_there = is_trailing ? call.has_trailing : call.has_initial;
  if (was_refused) {
    call.is_strict = false;
    return Fate::kGoesOn;
  }
  bool is_bad = is_there || (!is_trailing && call.has_answer) ||
                !wire::Metadata().ParseFromString(std::string(payload));
  is_there = call.has_answer = true;
  return is_bad ? Fate::kUnclear : Fate::kGoesOn;
}

}  // namespace ferry::test
