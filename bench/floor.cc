// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floor.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "ferry_echo.h"
#include "floor_io.h"

namespace ferry::bench {
namespace {

// A message begins with its size in bytes. After one of this size a child that polls
// sleeps until the next one.
using Size = uint32_t;
constexpr Size kEndOfBlock = sizeof(Size);

}  // namespace

void ServeFloor(int in, int out, Floor::Wait wait) {
  if (wait == Floor::Wait::kPolling) {
    if (!SetPolling(in, true) || !SetPolling(out, true)) return;
    SleepUntilInput(in);
  }
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    ssize_t got = ReadSome(in, buffer.data(), buffer.size());
    if (got < static_cast<ssize_t>(sizeof(Size))) return;
    Size size;
    std::memcpy(&size, buffer.data(), sizeof(size));
    if (buffer.size() < size) buffer.resize(size);
    size_t have = static_cast<size_t>(got);
    if (!ReadAll(in, buffer.data() + have, size - have)) return;
    if (!WriteAll(out, buffer.data(), size)) return;
    if (size == kEndOfBlock) SleepUntilInput(in);
  }
}

absl::StatusOr<std::unique_ptr<Floor>> Floor::Start(const std::string& transport, Wait wait) {
  bool polls = wait == Wait::kPolling;
  absl::StatusOr<std::unique_ptr<FloorChild>> child =
      FloorChild::Start(polls ? "polled-floor" : "floor", transport);
  if (!child.ok()) return child.status();
  if (polls && (!SetPolling((*child)->to(), true) || !SetPolling((*child)->from(), true))) {
    return absl::ErrnoToStatus(errno, "O_NONBLOCK");
  }
  return std::unique_ptr<Floor>(new Floor(*std::move(child), wait));
}

void Floor::Prepare(size_t payload_size) {
  Size size = static_cast<Size>(FerryEcho::WireSize(payload_size));
  message_.assign(size, 'x');
  std::memcpy(message_.data(), &size, sizeof(size));
  echo_.resize(size);
}

absl::Status Floor::RoundTrip() { return Echo(message_.data(), message_.size()); }

absl::Status Floor::EndBlock() {
  if (wait_ == Wait::kAsleep) return absl::OkStatus();
  return Echo(reinterpret_cast<const char*>(&kEndOfBlock), sizeof(kEndOfBlock));
}

absl::Status Floor::Echo(const char* message, size_t size) {
  if (WriteAll(child_->to(), message, size) && ReadAll(child_->from(), echo_.data(), size)) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("the child of the floor has ended");
}

}  // namespace ferry::bench
