// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/script_transport.h"

#include <utility>

#include "tests/fuzz/check.h"

namespace ferry::test {
namespace {

// So many waits in a row that end at once are a loop that never does.
constexpr int kMostIdleWaits = 10000;

// Who uses a transport may not count on more.
struct Room {
  FrameHeader header;
  std::string data;
};

}  // namespace

void ScriptTransport::Put(const FrameHeader& header, std::string payload) {
  if (has_ended()) return;
  frames_.push_back({header, std::move(payload)});
  frames_.back().header.length = static_cast<uint32_t>(frames_.back().payload.size());
}

ReserveResult ScriptTransport::Reserve(const FrameHeader& header, size_t size, Reservation& out) {
  if (!closed_.ok()) return ReserveResult::kClosed;
  auto* room = new Room{header, std::string(size, '\0')};
  out = {room->data.data(), size, room};
  return ReserveResult::kOk;
}

void ScriptTransport::Commit(Reservation& reservation) {
  auto* room = static_cast<Room*>(std::exchange(reservation.slot, nullptr));
  room->header.length = static_cast<uint32_t>(room->data.size());
  if (closed_.ok()) script_.OnSent(room->header, room->data);
  delete room;
}

void ScriptTransport::Abandon(Reservation& reservation) {
  delete static_cast<Room*>(std::exchange(reservation.slot, nullptr));
}

ReadResult ScriptTransport::TryRead(Frame& frame) {
  script_.OnAsked();
  if (!closed_.ok()) return ReadResult::kClosed;
  if (frames_.empty()) {
    closed_ = end_;
    return closed_.ok() ? ReadResult::kEmpty : ReadResult::kClosed;
  }
  Check(current_ == nullptr, "a frame is released before the next is read");
  current_ = std::make_unique<Queued>(std::move(frames_.front()));
  frames_.pop_front();
  idle_waits_ = 0;
  absl::Status valid = ValidateFrameHeader(current_->header, kMaxFrame);
  if (!valid.ok()) {
    has_refused_ = true;
    Close(valid);
    Release();
    return ReadResult::kClosed;
  }
  script_.OnTaken(current_->header, current_->payload);
  frame = {current_->header, current_->payload.data()};
  return ReadResult::kFrame;
}

void ScriptTransport::Wait(const WaitOptions& options) {
  Check(++idle_waits_ < kMostIdleWaits, "a wait for nothing ends");
  bool is_interrupted = options.interruptible && std::exchange(interrupted_, false);
  if (HasNews() || is_interrupted || HasPassed(options.deadline)) return;
  script_.Next();
}

void ScriptTransport::Close(const absl::Status& reason) {
  if (closed_.ok()) closed_ = reason;
  frames_.clear();
}

}  // namespace ferry::test
