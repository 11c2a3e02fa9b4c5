// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How what arrives for a call is put together and delivered.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/metadata_codec.h"

namespace ferry::internal {

absl::Status UnexpectedFrame(const FrameHeader& header, const char* where) {
  std::string_view type = FrameTypeName(header.type);
  return absl::DataLossError(
      absl::StrCat("broken frame: ", absl::string_view(type.data(), type.size()), " ", where));
}

absl::Status Connection::HandleContinue(const Frame& frame, Body& body) {
  auto found = partial_.find(frame.header.call.value);
  if (found == partial_.end()) return UnexpectedFrame(frame.header, "of no message");
  if (absl::Status added = AddFragment(found->second, frame); !added.ok()) return added;
  if (!found->second.assembly.complete()) return absl::OkStatus();
  Partial partial = std::move(found->second);
  partial_.erase(found);
  if (partial.header.type != FrameType::kReply) held_bytes_ -= partial.assembly.size();
  body.Release();  // the handler may hand the reading on
  if (!partial.refused.ok()) return EndRefused(partial);
  // Its caller has gone in the middle of it; a reply still frees the id.
  bool is_nobodys = partial.assembly.dropped() && partial.header.type != FrameType::kReply;
  if (is_nobodys) return absl::OkStatus();
  Body whole(partial.assembly);
  return Deliver(partial.header, whole);
}

// What is too large is refused at once, and what is still to come of it is dropped.
absl::Status Connection::AddFragment(Partial& partial, const Frame& frame) {
  const FrameType type = partial.header.type;
  const bool is_held = type != FrameType::kReply;  // which has its place in the call
  partial.arrived += frame.header.length;
  size_t before = partial.assembly.size();
  size_t limit = type == FrameType::kMetadata ? Metadata::kMaxBytes : options_.max_message;
  if (frame.header.call.opener() == side_ && !caller_.IsWantedStill(frame.header.call)) {
    partial.assembly.Drop();  // its caller has gone
  }
  absl::Status added = partial.assembly.Add(frame, limit);
  if (is_held) held_bytes_ += partial.assembly.size() - before;
  if (added.ok() && partial.refused.ok()) {
    if (type == FrameType::kRequest && sink_ == nullptr) {
      added = absl::UnimplementedError("");
    } else if (is_held && held_bytes_ > options_.max_memory) {
      added = TooMuchHeld();
      if (sink_ != nullptr) sink_->OnRefused(added);
    }
  }
  if (added.ok() || absl::IsDataLoss(added)) return added;
  if (is_held) held_bytes_ -= partial.assembly.size();
  partial.assembly.Drop();
  return RefusePartial(partial, added);
}

absl::Status Connection::RefusePartial(Partial& partial, const absl::Status& why) {
  const FrameHeader& header = partial.header;
  partial.refused = why;
  bool is_ours = header.call.opener() == side_;
  if (header.type == FrameType::kRequest) {
    // Its credit is given back with its last fragment.
    ReplyError(header.call, why, 0);
    partial.arrived += TakeMetadata(header.call).size;
  } else if (header.type == FrameType::kMessage || header.type == FrameType::kMetadata) {
    if (is_ours) return caller_.OnTooLarge(header, why);
    if (sink_ != nullptr && header.type == FrameType::kMessage) sink_->OnTooLarge(header.call, why);
  }
  return absl::OkStatus();
}

absl::Status Connection::EndRefused(const Partial& partial) {
  switch (partial.header.type) {
    case FrameType::kRequest:
      GiveCredit(partial.arrived);
      return absl::OkStatus();
    case FrameType::kReply:
      return caller_.OnTooLarge(partial.header, partial.refused);
    case FrameType::kMetadata:
      return partial.header.call.opener() == side_
                 ? absl::OkStatus()
                 : Hold({partial.header.call, Metadata(), partial.arrived, 0, partial.refused});
    default:
      return absl::OkStatus();
  }
}

absl::Status Connection::Deliver(const FrameHeader& header, Body& body) {
  if (header.type == FrameType::kRequest) return DeliverRequest(header, body);
  if (header.type == FrameType::kReply) return caller_.OnReply(header, body);
  if (header.call.opener() != side_) return DeliverOfCaller(header, body);
  switch (header.type) {
    case FrameType::kMessage:
      return caller_.OnMessage(header, body);
    case FrameType::kMetadata:
      return caller_.OnMetadata(header, body);
    default:
      body.Release();  // a callback may read on
      return caller_.OnStreamCredit(header);
  }
}

absl::Status Connection::DeliverOfCaller(const FrameHeader& header, Body& body) {
  if (header.type == FrameType::kMetadata) return HoldMetadata(header, body);
  if (sink_ == nullptr) return absl::OkStatus();
  if (header.type == FrameType::kMessage) {
    sink_->OnMessage(header, body);
    return absl::OkStatus();
  }
  body.Release();  // a callback may read on
  if (header.type == FrameType::kCancel) {
    sink_->OnCancel(header.call);
  } else {
    sink_->OnStreamCredit(header.call, header.arg);
  }
  return absl::OkStatus();
}

absl::Status Connection::DeliverRequest(const FrameHeader& header, Body& body) {
  if (early_metadata_.empty() && body.size() <= options_.max_message && sink_ != nullptr) {
    return sink_->OnRequest(header, body, nullptr, static_cast<uint32_t>(body.size()));
  }
  return DeliverWithMetadata(header, body);
}

absl::Status Connection::DeliverWithMetadata(const FrameHeader& header, Body& body) {
  EarlyMetadata early = TakeMetadata(header.call);
  uint32_t cost = static_cast<uint32_t>(body.size()) + early.size;
  absl::Status refused = WhyRefused(body, early);
  if (refused.ok()) return sink_->OnRequest(header, body, &early.metadata, cost);
  ReplyError(header.call, refused, cost);
  return absl::OkStatus();
}

absl::Status Connection::WhyRefused(const Body& body, const EarlyMetadata& early) const {
  if (sink_ == nullptr) return absl::UnimplementedError("");
  if (body.size() <= options_.max_message) return early.refused;
  return absl::ResourceExhaustedError(absl::StrCat("message of ", body.size(), " bytes, at most ",
                                                   options_.max_message, " are accepted"));
}

// Until its request comes. What an index has left that goes on with the next generation, has
// no request.
absl::Status Connection::HoldMetadata(const FrameHeader& header, const Body& body) {
  EarlyMetadata early;
  early.call = header.call;
  early.size = static_cast<uint32_t>(body.size());
  if (body.size() > Metadata::kMaxBytes) {
    early.refused = TooMuchMetadata(body.size());
  } else if (held_bytes_ + body.size() > options_.max_memory || sink_ == nullptr) {
    early.refused = TooMuchHeld();
  } else if (!DecodeMetadata(body.data(), body.size(), early.metadata)) {
    return absl::DataLossError(
        absl::StrCat("broken frame: metadata of ", body.size(), " bytes cannot be parsed"));
  }
  return Hold(std::move(early));
}

absl::Status Connection::Hold(EarlyMetadata early) {
  EarlyMetadata& place = early_metadata_[early.call.index()];
  if (place.call == early.call) {
    return absl::DataLossError("broken frame: metadata twice before a request");
  }
  held_bytes_ -= place.memory;
  early.memory = sizeof(early);
  if (early.refused.ok()) early.memory += early.size + OverheadOf(early.metadata);
  held_bytes_ += early.memory;
  place = std::move(early);
  return absl::OkStatus();
}

absl::Status Connection::TooMuchHeld() const {
  return absl::ResourceExhaustedError(absl::StrCat(
      "more than ", options_.max_memory, " bytes of unfinished requests (max_connection_memory)"));
}

Connection::EarlyMetadata Connection::TakeMetadata(CallId call) {
  EarlyMetadata early;
  auto found = early_metadata_.find(call.index());
  if (found == early_metadata_.end()) return early;
  held_bytes_ -= found->second.memory;
  if (found->second.call == call) early = std::move(found->second);
  early_metadata_.erase(found);
  return early;
}

}  // namespace ferry::internal
