// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the client sends.

#include "tests/fuzz/served_model.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "tests/fuzz/check.h"

namespace ferry::test {
namespace {

// What a message of a stream draws beside its bytes.
constexpr int64_t kMessageCost = 24;

int64_t AsCredit(uint64_t bytes) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(bytes, kMost));
}

}  // namespace

void ServedModel::OnHello(const wire::Hello& hello) {
  client_stream_credit_ = hello.stream_credit();
  if (hello.max_message() != 0) client_max_message_ = hello.max_message();
}

const ServedModel::Call* ServedModel::FindOpen(CallId call) const {
  auto found = calls_.find(call.value);
  return found == calls_.end() || !found->second.is_open ? nullptr : &found->second;
}

Fate ServedModel::OnFirst(const FrameHeader& header) {
  if (header.call.opener() == 1) return Fate::kBroken;  // the server calls nobody
  if (header.type == FrameType::kRequest) Open(header);
  return Fate::kGoesOn;
}

Fate ServedModel::OnWhole(const FrameHeader& header, std::string_view payload, bool was_refused) {
  if (header.call.opener() == 1) return Fate::kBroken;
  if (header.type == FrameType::kRequest) return OnRequest(header, payload, was_refused);
  if (header.type == FrameType::kMetadata) return OnMetadata(header, payload, was_refused);
  auto found = calls_.find(header.call.value);
  if (found == calls_.end() || !found->second.is_open) return Fate::kGoesOn;
  Call& call = found->second;
  if (header.type == FrameType::kCancel) {
    call.is_cancelled = call.has_ended = true;
    call.is_strict = false;
  } else if (header.type == FrameType::kCredit) {
    call.send_credit = std::min(call.send_credit, INT64_MAX - header.arg) + header.arg;
  } else {
    OnMessage(call, header, payload, was_refused);
  }
  return Fate::kGoesOn;
}

void ServedModel::Open(const FrameHeader& header) {
  Call& call = calls_[header.call.value];
  bool is_twice = call.is_open && call.drawn != 0;
  call = Call();
  call.is_strict = !is_twice;
  auto found = methods_.find(header.method);
  if (found != methods_.end()) call.method = found->second;
  call.has_ended = (header.flags & kFlagEnd) != 0;
  call.is_one_way = (header.flags & kFlagOneWay) != 0;
  if (header.arg != 0) call.is_strict = false;  // it may be late
  call.send_credit = AsCredit(client_stream_credit_);
  call.receive_credit = AsCredit(limits_.stream_credit);
}

Fate ServedModel::OnRequest(const FrameHeader& header, std::string_view payload, bool was_refused) {
  auto early = early_.find(header.call.index());
  bool is_refused = was_refused || limits_.memory_is_short ||
                    (early != early_.end() && early->second.was_refused);
  for (auto& [id, other] : calls_) {
    if (other.is_open && other.is_whole && CallId{id}.index() == header.call.index()) {
      // One that is refused for its size is not looked at any further.
      return is_refused ? Fate::kUnclear : Fate::kBroken;
    }
  }
  // One that was refused early has been answered, perhaps.
  if ((header.flags & kFlagMore) == 0) Open(header);
  Call& call = calls_[header.call.value];
  call.is_whole = true;
  call.drawn = static_cast<uint32_t>(payload.size());
  if (early != early_.end()) {
    if (early->second.call == header.call) {
      if (early->second.was_refused) call.is_strict = false;
    } else {
      lost_ += early->second.size;
    }
    early_.erase(early);
  }
  drawn_ += call.drawn;
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  if (was_refused || call.method == nullptr) call.is_strict = false;
  wire::Status parsed;
  if (!parsed.ParseFromString(std::string(payload))) call.is_strict = false;
  if (call.method != nullptr && !TakesStream(call.method->shape)) {
    if (is_empty || !call.has_ended) call.is_strict = false;
  }
  if (!is_empty) call.to_read.emplace_back(payload);
  return Fate::kGoesOn;
}

Fate ServedModel::OnMetadata(const FrameHeader& header, std::string_view payload,
                             bool was_refused) {
  for (auto& [id, call] : calls_) {
    // Sent too soon; it may be lost with what is refused of the call before.
    if (call.is_open && CallId{id}.index() == header.call.index()) return Fate::kUnclear;
  }
  Early& early = early_[header.call.index()];
  if (early.call == header.call) return Fate::kBroken;
  lost_ += early.size;
  drawn_ += payload.size();
  early = {header.call, payload.size(), was_refused};
  wire::Metadata parsed;
  if (was_refused || parsed.ParseFromString(std::string(payload))) return Fate::kGoesOn;
  return limits_.memory_is_short ? Fate::kUnclear : Fate::kBroken;
}

void ServedModel::OnMessage(Call& call, const FrameHeader& header, std::string_view payload,
                            bool was_refused) {
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  bool takes_stream = call.method != nullptr && TakesStream(call.method->shape);
  if (!takes_stream || call.has_ended || was_refused) call.is_strict = false;
  if (!is_empty) {
    if (call.receive_credit <= 0) call.is_strict = false;
    int64_t cost = static_cast<int64_t>(payload.size()) + kMessageCost;
    call.receive_credit -= cost;
    call.received += static_cast<uint64_t>(cost);
    wire::Status parsed;
    if (!parsed.ParseFromString(std::string(payload))) call.is_strict = false;
    call.to_read.emplace_back(payload);
  }
  if ((header.flags & kFlagEnd) != 0) call.has_ended = true;
}

}  // namespace ferry::test
