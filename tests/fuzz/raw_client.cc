// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/raw_client.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/fuzz/play_service.h"

namespace ferry::test {

void RawClient::SayHello(uint32_t kind) {
  constexpr uint64_t kCredits[] = {0, 1, 600, 1 << 20};
  wire::Hello hello;
  hello.set_min_version(1);
  hello.set_max_version(1);
  hello.set_max_frame(kMaxFrame);
  hello.set_stream_credit(kCredits[kind % 4]);
  FrameHeader header;
  header.type = FrameType::kHello;
  header.method = kHelloMagic;
  Put(header, hello.SerializeAsString());
}

void RawClient::Put(FrameHeader header, std::string payload) {
  damage_.Apply(header, payload);
  transport_.Put(header, std::move(payload));
}

FrameHeader RawClient::HeaderOf(FrameType type, uint32_t index) {
  FrameHeader header;
  header.type = type;
  header.call = CallId::Make(0, index, std::max(generations_[index], 1u));
  return header;
}

bool RawClient::Step(char letter) {
  FrameHeader header;
  switch (letter) {
    case 'o':
      PutRequest();
      return true;
    case 'd':
      PutMetadata();
      return true;
    case 'm':
      PutMessage();
      return true;
    case 'e':
      header = HeaderOf(FrameType::kMessage, program_.Digit(kIndexes));
      header.flags = kFlagEnd | kFlagEmpty;
      break;
    case 'c':
      header = HeaderOf(FrameType::kCredit, program_.Digit(kIndexes));
      header.arg = 1u << program_.Digit(32);
      break;
    case 'C':
      header.type = FrameType::kCredit;
      header.arg = 1u << program_.Digit(32);
      break;
    case 'x':
      header = HeaderOf(FrameType::kCancel, program_.Digit(kIndexes));
      break;
    case 'f': {
      uint32_t which = program_.Digit(4);
      size_t size = program_.Size();
      return PutContinue(which, size, program_.Digit(2) == 1);
    }
    case 'p':
      header.type = FrameType::kPing;
      header.method = ++number_;
      break;
    case 'g':
      header.type = FrameType::kGoAway;
      header.aux = static_cast<uint16_t>(program_.Digit(17));
      break;
    case 'u':
      header.type = static_cast<FrameType>(0x80 + program_.Digit(128));
      Put(header, "anything");
      return true;
    case 'k':
      PutOfCallee();
      return true;
    case 'H':
      SayHello(program_.Digit(4));
      return true;
    case '!':
      damage_ = {true, program_.Digit(7), program_.Number()};
      return false;
    case '#':
      return PutRaw();
    default:
      return false;
  }
  Put(header, "");
  return true;
}

void RawClient::PutRequest() {
  uint32_t shape = program_.Digit(6);
  uint32_t index = program_.Digit(kIndexes);
  size_t size = program_.Size();
  uint32_t flags = program_.Digit(16);
  script_ = program_.Text(10);
  if (!std::exchange(has_metadata_[index], false)) ++generations_[index];
  FrameHeader header = HeaderOf(FrameType::kRequest, index);
  header.method = shape < 5 ? kPlayMethods[shape].id : 4711;
  bool takes_stream = shape < 5 && TakesStream(kPlayMethods[shape].shape);
  if (takes_stream == ((flags & 1) != 0)) header.flags |= kFlagEnd;
  if ((flags & 2) != 0 || shape == 4) header.flags |= kFlagOneWay | kFlagEnd;
  if ((flags & 8) != 0) header.arg = 1;
  if ((flags & 4) != 0) {
    header.flags |= kFlagMore;
  } else if (takes_stream && size == 0) {
    header.flags |= kFlagEmpty;
  }
  Put(header, PlayMessage(size, ++number_));
}

void RawClient::PutMetadata() {
  uint32_t index = program_.Digit(kIndexes);
  size_t size = program_.Size();
  if (!std::exchange(has_metadata_[index], true)) ++generations_[index];
  FrameHeader header = HeaderOf(FrameType::kMetadata, index);
  if (program_.Digit(2) == 1) header.flags = kFlagMore;
  Put(header, PlayMessage(size, 0, true));
}

void RawClient::PutMessage() {
  FrameHeader header = HeaderOf(FrameType::kMessage, program_.Digit(kIndexes));
  size_t size = program_.Size();
  uint32_t flags = program_.Digit(4);
  if ((flags & 1) != 0) header.flags |= kFlagEnd;
  if ((flags & 2) != 0) header.flags |= kFlagMore;
  Put(header, PlayMessage(size, ++number_));
}

// Of what an honest client sends none.
void RawClient::PutOfCallee() {
  constexpr FrameType kTypes[] = {FrameType::kReply,  FrameType::kMessage, FrameType::kMetadata,
                                  FrameType::kCredit, FrameType::kRequest, FrameType::kCancel};
  FrameHeader header;
  header.type = kTypes[program_.Digit(6)];
  header.call = CallId::Make(program_.Digit(2), program_.Digit(kIndexes), 1);
  if (header.type == FrameType::kCredit) header.arg = 1;
  Put(header, "");
}

bool RawClient::PutContinue(uint32_t which, size_t size, bool is_last) {
  const auto& partials = model_.frames().partial();
  if (partials.empty()) return false;
  auto found = std::next(partials.begin(), which % partials.size());
  const PeerFrames::Partial& partial = found->second;
  bool is_known = partial.total > partial.arrived;
  size_t length = std::max(size, size_t{2});
  size_t left = is_known ? partial.left() : is_last ? length : 2 * length + 1000;
  if (is_last && left <= kMaxFrame) length = left;
  FrameHeader header = ContinueHeader({found->first}, left, length);
  Put(header, Filler(header.length));
  return true;
}

bool RawClient::PutRaw() {
  std::string bytes;
  for (size_t i = 0; i < kFrameHeaderSize; ++i) bytes.push_back(program_.Letter());
  FrameHeader header = DecodeFrameHeader(bytes.data());
  Put(header, Filler(header.length % 64));
  return true;
}

// To the next open call that has not got such a frame yet.
bool RawClient::PutToOpen(FrameType type) {
  for (const auto& [id, call] : model_.calls()) {
    if (id < last_wrapped_ || !call.is_open) continue;
    last_wrapped_ = id + 1;
    FrameHeader header;
    header.type = type;
    header.call = {id};
    if (type == FrameType::kMessage) {
      if (call.has_ended || call.method == nullptr || !TakesStream(call.method->shape)) continue;
      header.flags = kFlagEnd | kFlagEmpty;
    } else if (type == FrameType::kCredit) {
      header.arg = 1 << 20;
    } else if (call.is_cancelled) {
      continue;
    }
    Put(header, "");
    return true;
  }
  last_wrapped_ = 0;
  return false;
}

bool RawClient::CanWrapUp() const {
  for (const auto& [id, partial] : model_.frames().partial()) {
    if (partial.total > partial.arrived && partial.left() > 1 << 20) return false;
  }
  return model_.greeted();
}

bool RawClient::WrapUp() {
  constexpr FrameType kLast[] = {FrameType::kCredit, FrameType::kMessage, FrameType::kCancel};
  damage_.is_due = false;
  if (PutContinue(0, kMaxFrame, true)) return true;
  for (; wrap_up_ < 3; ++wrap_up_) {
    if (PutToOpen(kLast[wrap_up_])) return true;
  }
  return false;
}

}  // namespace ferry::test
