// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/peer_frames.h"

#include <utility>

namespace ferry::test {
namespace {

constexpr size_t kMaxMetadata = 64 * 1024;

}  // namespace

Fate PeerFrames::Take(const FrameHeader& header, std::string_view payload) {
  if (!greeted_) return TakeFirst(header, payload);
  if (static_cast<uint8_t>(header.type) >= kFirstSkippableType) return Fate::kGoesOn;
  if (header.call.value == 0) return TakeOfConnection(header);
  if (header.call.generation() == 0 || header.call.index() == kMaxCalls) return Fate::kBroken;
  if (header.type == FrameType::kContinue) return TakeContinue(header, payload);
  bool may_interrupt = header.type == FrameType::kCredit;
  if (!may_interrupt && partial_.count(header.call.value) != 0) return Fate::kBroken;
  if (IsMisdirected(header)) return Fate::kBroken;
  bool is_metadata = header.type == FrameType::kMetadata;
  bool too_large = payload.size() > (is_metadata ? kMaxMetadata : max_message_);
  if ((header.flags & kFlagMore) == 0) return calls_.OnWhole(header, payload, too_large);
  Partial& partial = partial_[header.call.value];
  partial.header = header;
  partial.bytes = payload;
  partial.arrived = payload.size();
  return calls_.OnFirst(header);
}

Fate PeerFrames::TakeFirst(const FrameHeader& header, std::string_view payload) {
  if (header.type == FrameType::kGoAway && header.aux != 0) return Fate::kEnds;
  wire::Hello hello;
  if (header.type != FrameType::kHello || !hello.ParseFromString(std::string(payload))) {
    return Fate::kBroken;
  }
  if (hello.min_version() > 1 || hello.max_version() < 1) return Fate::kEnds;
  if (hello.max_frame() < kMaxFrame) return Fate::kBroken;
  greeted_ = true;
  calls_.OnHello(hello);
  return Fate::kGoesOn;
}

Fate PeerFrames::TakeOfConnection(const FrameHeader& header) {
  switch (header.type) {
    case FrameType::kPing:
      if ((header.flags & kFlagAck) == 0) calls_.OnPing(header.method);
      return Fate::kGoesOn;
    case FrameType::kCredit:
      calls_.OnCredit(header.arg);
      return Fate::kGoesOn;
    case FrameType::kGoAway:
      calls_.OnGoAway();
      return header.aux == 0 ? Fate::kGoesOn : Fate::kEnds;
    default:
      return Fate::kBroken;
  }
}

Fate PeerFrames::TakeContinue(const FrameHeader& header, std::string_view payload) {
  auto found = partial_.find(header.call.value);
  if (found == partial_.end()) return Fate::kBroken;
  Partial& partial = found->second;
  size_t total = partial.arrived + header.arg;
  if (!partial.was_refused && partial.total != 0 && total != partial.total) {
    return memory_is_short_ ? Fate::kUnclear : Fate::kBroken;
  }
  partial.total = total;
  bool is_metadata = partial.header.type == FrameType::kMetadata;
  if (total > (is_metadata ? kMaxMetadata : max_message_)) partial.was_refused = true;
  partial.arrived += payload.size();
  partial.bytes += payload;
  if ((header.flags & kFlagMore) != 0) return Fate::kGoesOn;
  Partial whole = std::move(partial);
  partial_.erase(found);
  return calls_.OnWhole(whole.header, whole.bytes, whole.was_refused);
}

// Sent by the wrong side, or with flags that its type does not have there.
bool PeerFrames::IsMisdirected(const FrameHeader& header) const {
  bool is_of_callee = header.call.opener() == side_;
  bool ends = (header.flags & kFlagEnd) != 0;
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  switch (header.type) {
    case FrameType::kRequest:
      return is_of_callee || ((header.flags & kFlagOneWay) != 0 && !ends);
    case FrameType::kCancel:
      return is_of_callee;
    case FrameType::kReply:
      return !is_of_callee || (is_empty && header.aux != 0);
    case FrameType::kMessage:
      return (is_of_callee && ends) || (is_empty && !ends);
    case FrameType::kMetadata:
      return !is_of_callee && (header.flags & kFlagTrailing) != 0;
    default:
      return false;
  }
}

}  // namespace ferry::test
