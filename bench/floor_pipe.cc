// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floor_pipe.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "ferry_echo.h"
#include "machine.h"

namespace ferry::bench {
namespace {

// A message begins with its size in bytes. One of this size asks for the CPU time.
using Size = uint32_t;
constexpr Size kCpuTimeRequest = sizeof(Size);

// False at the end of the stream.
bool ReadAll(int fd, char* data, size_t size) {
  while (size != 0) {
    ssize_t got = read(fd, data, size);
    if (got <= 0) return false;
    data += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteAll(int fd, const char* data, size_t size) {
  while (size != 0) {
    ssize_t written = write(fd, data, size);
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

[[noreturn]] void RunChild(int in, int out) {
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    ssize_t got = read(in, buffer.data(), buffer.size());
    if (got < static_cast<ssize_t>(sizeof(Size))) _exit(0);
    Size size;
    std::memcpy(&size, buffer.data(), sizeof(size));
    if (size == kCpuTimeRequest) {
      int64_t time = ProcessCpuTime();
      WriteAll(out, reinterpret_cast<const char*>(&time), sizeof(time));
      continue;
    }
    if (buffer.size() < size) buffer.resize(size);
    size_t have = static_cast<size_t>(got);
    if (!ReadAll(in, buffer.data() + have, size - have)) _exit(0);
    WriteAll(out, buffer.data(), size);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<FloorPipe>> FloorPipe::Start() {
  int request[2];
  int reply[2];
  if (pipe2(request, O_CLOEXEC) != 0 || pipe2(reply, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "pipe2");
  }
  pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    close(request[1]);
    close(reply[0]);
    RunChild(request[0], reply[1]);
  }
  close(request[0]);
  close(reply[1]);
  return std::unique_ptr<FloorPipe>(
      new FloorPipe(internal::UniqueFd(request[1]), internal::UniqueFd(reply[0]), pid));
}

FloorPipe::~FloorPipe() {
  to_child_.Reset();
  waitpid(pid_, nullptr, 0);
}

void FloorPipe::Prepare(size_t payload_size) {
  Size size = static_cast<Size>(FerryEcho::WireSize(payload_size));
  message_.assign(size, 'x');
  std::memcpy(message_.data(), &size, sizeof(size));
  echo_.resize(size);
}

absl::Status FloorPipe::RoundTrip() {
  if (WriteAll(to_child_.get(), message_.data(), message_.size()) &&
      ReadAll(from_child_.get(), echo_.data(), echo_.size())) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("the child of the floor has ended");
}

absl::StatusOr<int64_t> FloorPipe::PeerCpuTime() {
  int64_t time = 0;
  if (WriteAll(to_child_.get(), reinterpret_cast<const char*>(&kCpuTimeRequest), sizeof(Size)) &&
      ReadAll(from_child_.get(), reinterpret_cast<char*>(&time), sizeof(time))) {
    return time;
  }
  return absl::UnavailableError("the child of the floor has ended");
}

}  // namespace ferry::bench
