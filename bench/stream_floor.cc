// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "stream_floor.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "ferry_echo.h"
#include "floor_io.h"

namespace ferry::bench {
namespace {

constexpr size_t kBuffer = 64 * 1024;  // as much as a pipe holds

// Goes ahead of a stream.
struct Order {
  StreamDirection direction;
  bool polls;
  size_t write_size;
  size_t bytes;
};

// A buffer of at least that size, which no stream touches for the first time.
std::vector<char>& Buffer(size_t size) {
  static std::vector<char> buffer;
  if (buffer.size() < size) buffer.resize(size, 'x');
  return buffer;
}

bool WriteStream(int fd, size_t bytes, size_t write_size) {
  const std::vector<char>& buffer = Buffer(write_size);
  while (bytes != 0) {
    size_t size = std::min(bytes, write_size);
    if (!WriteAll(fd, buffer.data(), size)) return false;
    bytes -= size;
  }
  return true;
}

bool ReadStream(int fd, size_t bytes) {
  std::vector<char>& buffer = Buffer(kBuffer);
  while (bytes != 0) {
    ssize_t got = ReadSome(fd, buffer.data(), std::min(bytes, kBuffer));
    if (got <= 0) return false;
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

bool Send(int fd, const Order& order) {
  return WriteAll(fd, reinterpret_cast<const char*>(&order), sizeof(order));
}

// Answers whether another stream may follow.
bool ServeStream(int in, int out) {
  Order order;
  SleepUntilInput(in);
  if (!ReadAll(in, reinterpret_cast<char*>(&order), sizeof(order))) return false;
  if (!SetPolling(in, order.polls) || !SetPolling(out, order.polls)) return false;
  if (order.direction == StreamDirection::kDown) {
    return WriteStream(out, order.bytes, order.write_size);
  }
  const char done = '.';
  return ReadStream(in, order.bytes) && WriteAll(out, &done, 1);
}

}  // namespace

void ServeStreamFloor(int in, int out) {
  while (ServeStream(in, out)) continue;
}

void StreamFloor::Prepare(size_t payload_size) {
  size_t message = FerryEcho::WireSize(payload_size);
  write_size_ = style_ == Style::kBulk ? kBuffer : message;
  bytes_ = message * static_cast<size_t>(messages_);
}

absl::Status StreamFloor::BeginBlock() {
  bool polls = style_ == Style::kPolling;
  if (SetPolling(child_.to(), polls) && SetPolling(child_.from(), polls)) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "O_NONBLOCK");
}

absl::Status StreamFloor::RoundTrip() {
  char done;
  bool carried = Send(child_.to(), {direction_, style_ == Style::kPolling, write_size_, bytes_});
  if (carried && direction_ == StreamDirection::kDown) carried = ReadStream(child_.from(), bytes_);
  if (carried && direction_ == StreamDirection::kUp) {
    carried = WriteStream(child_.to(), bytes_, write_size_) && ReadAll(child_.from(), &done, 1);
  }
  if (carried) return absl::OkStatus();
  return absl::UnavailableError("the child of the stream floor has ended");
}

}  // namespace ferry::bench
