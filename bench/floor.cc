// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "ferry_echo.h"

namespace ferry::bench {
namespace {

// A message begins with its size in bytes. After one of this size a child that polls
// sleeps until the next one.
using Size = uint32_t;
constexpr Size kEndOfBlock = sizeof(Size);

bool StopWaitingInCalls(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

// What is there, once something is; at most 0 at the end of the stream.
ssize_t ReadSome(int fd, char* data, size_t size) {
  for (;;) {
    ssize_t got = read(fd, data, size);
    if (got >= 0 || errno != EAGAIN) return got;
  }
}

// False at the end of the stream.
bool ReadAll(int fd, char* data, size_t size) {
  while (size != 0) {
    ssize_t got = ReadSome(fd, data, size);
    if (got <= 0) return false;
    data += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteAll(int fd, const char* data, size_t size) {
  while (size != 0) {
    ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EAGAIN) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

void SleepUntilInput(int fd) {
  struct pollfd input = {fd, POLLIN, 0};
  poll(&input, 1, -1);
}

}  // namespace

void ServeFloor(int in, int out, Floor::Wait wait) {
  if (wait == Floor::Wait::kPolling) {
    if (!StopWaitingInCalls(in) || !StopWaitingInCalls(out)) return;
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
  if (polls && (!StopWaitingInCalls((*child)->to()) || !StopWaitingInCalls((*child)->from()))) {
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
