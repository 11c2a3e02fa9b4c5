// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/raw_server.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ferry::test {

void RawServer::SayHello(uint32_t kind) {
  constexpr uint64_t kRequests[] = {0, 1 << 20, 50, 1};
  constexpr uint64_t kStreams[] = {0, 1 << 20, 600, 1};
  wire::Hello hello;
  hello.set_min_version(1);
  hello.set_max_version(1);
  hello.set_max_frame(kMaxFrame);
  hello.set_request_credit(kRequests[kind % 4]);
  hello.set_stream_credit(kStreams[kind % 4]);
  FrameHeader header;
  header.type = FrameType::kHello;
  header.method = kHelloMagic;
  Put(header, hello.SerializeAsString());
}

void RawServer::Put(FrameHeader header, std::string payload) {
  damage_.Apply(header, payload);
  transport_.Put(header, std::move(payload));
}

const CallingModel::Call* RawServer::Pick() {
  uint32_t back = program_.Digit(6) + 1;
  const auto& calls = model_.calls();
  if (calls.empty()) return nullptr;
  return &calls[calls.size() - std::min<size_t>(back, calls.size())];
}

bool RawServer::Step(char letter) {
  FrameHeader header;
  switch (letter) {
    case 'r':
      return PutReply();
    case 'm':
      return PutMessage();
    case 'd':
      return PutMetadata();
    case 'c':
      return PutCredit();
    case 'C':
      header.type = FrameType::kCredit;
      header.arg = 1u << program_.Digit(32);
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
      PutOfCaller();
      return true;
    case 'H':
      SayHello(program_.Digit(4));
      return true;
    case '!':
      damage_ = {true, program_.Digit(7), program_.Number()};
      return false;
    default:
      return false;
  }
  Put(header, "");
  return true;
}

bool RawServer::PutReply() {
  const CallingModel::Call* call = Pick();
  auto code = static_cast<uint16_t>(program_.Digit(17));
  size_t size = program_.Size();
  uint32_t flags = program_.Digit(4);
  if (call != nullptr) PutReplyTo(*call, code, size, flags);
  return call != nullptr;
}

void RawServer::PutReplyTo(const CallingModel::Call& call, uint16_t code, size_t size,
                           uint32_t flags) {
  CallShape shape = call.method->shape;
  bool is_empty = code == 0 && (ReturnsStream(shape) || shape == CallShape::kOneWay);
  FrameHeader header;
  header.type = FrameType::kReply;
  header.call = call.id;
  header.aux = code;
  header.arg = 20;
  if (code == 0 && (flags & 1) != 0) is_empty = !is_empty;
  if (is_empty) {
    header.flags = kFlagEmpty;
  } else if ((flags & 2) != 0) {
    header.flags = kFlagMore;
  }
  Put(header, is_empty ? "" : PlayMessage(size, ++number_));
}

bool RawServer::PutMessage() {
  const CallingModel::Call* call = Pick();
  size_t size = program_.Size();
  FrameHeader header;
  header.type = FrameType::kMessage;
  if (program_.Digit(2) == 1) header.flags = kFlagMore;
  if (call == nullptr) return false;
  header.call = call->id;
  Put(header, PlayMessage(size, ++number_));
  return true;
}

bool RawServer::PutMetadata() {
  const CallingModel::Call* call = Pick();
  size_t size = program_.Size();
  uint32_t flags = program_.Digit(4);
  if (call == nullptr) return false;
  FrameHeader header;
  header.type = FrameType::kMetadata;
  header.call = call->id;
  if ((flags & 1) != 0) header.flags |= kFlagTrailing;
  if ((flags & 2) != 0) header.flags |= kFlagMore;
  Put(header, PlayMessage(size, 0, true));
  return true;
}

bool RawServer::PutCredit() {
  const CallingModel::Call* call = Pick();
  FrameHeader header;
  header.type = FrameType::kCredit;
  header.arg = 1u << program_.Digit(32);
  if (call == nullptr) return false;
  header.call = call->id;
  Put(header, "");
  return true;
}

// Calls of the server's, which the client does not serve.
void RawServer::PutOfCaller() {
  constexpr FrameType kTypes[] = {FrameType::kRequest, FrameType::kMessage, FrameType::kMetadata,
                                  FrameType::kCredit,  FrameType::kCancel,  FrameType::kReply};
  FrameHeader header;
  header.type = kTypes[program_.Digit(6)];
  header.call = CallId::Make(1, program_.Digit(4), 1 + program_.Digit(2));
  bool has_more = program_.Digit(2) == 1;
  if (header.type == FrameType::kCredit) {
    header.arg = 1;
  } else if (header.type != FrameType::kCancel && has_more) {
    header.flags = kFlagMore;
  }
  Put(header, "");
}

bool RawServer::PutContinue(uint32_t which, size_t size, bool is_last) {
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

bool RawServer::CanWrapUp() const {
  for (const auto& [id, partial] : model_.frames().partial()) {
    if (partial.total > partial.arrived && partial.left() > 1 << 20) return false;
  }
  return model_.greeted() && !model_.is_unclear();
}

bool RawServer::WrapUp() {
  damage_.is_due = false;
  if (PutContinue(0, kMaxFrame, true)) return true;
  for (const CallingModel::Call& call : model_.calls()) {
    if (!call.is_open) continue;
    PutReplyTo(call, 0, 6, 0);
    return true;
  }
  if (!model_.lacks_request_credit()) return false;
  FrameHeader header;
  header.type = FrameType::kCredit;
  header.arg = 1 << 20;
  Put(header, "");
  return true;
}

}  // namespace ferry::test
