// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

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

// One direction: [0] is read, [1] is written.
using Line = int[2];

bool OpenNamedPipe(Line& line) {
  char folder[] = "/tmp/ferry_bench.XXXXXX";
  if (mkdtemp(folder) == nullptr) return false;
  std::string path = std::string(folder) + "/pipe";
  bool made = mkfifo(path.c_str(), 0600) == 0;
  int both = open(path.c_str(), O_RDWR | O_CLOEXEC);  // so that neither open waits
  line[0] = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  line[1] = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  close(both);
  unlink(path.c_str());
  rmdir(folder);
  return made && line[0] >= 0 && line[1] >= 0;
}

// For a socket both lines are one.
bool OpenLines(const std::string& transport, Line& request, Line& reply) {
  if (transport == "named-pipe") return OpenNamedPipe(request) && OpenNamedPipe(reply);
  if (transport == "pipe") return pipe2(request, O_CLOEXEC) == 0 && pipe2(reply, O_CLOEXEC) == 0;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  request[0] = ends[0];
  request[1] = ends[1];
  reply[0] = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
  reply[1] = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
  return reply[0] >= 0 && reply[1] >= 0;
}

}  // namespace

void ServeFloor(int in, int out) {
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    ssize_t got = read(in, buffer.data(), buffer.size());
    if (got < static_cast<ssize_t>(sizeof(Size))) return;
    Size size;
    std::memcpy(&size, buffer.data(), sizeof(size));
    if (size == kCpuTimeRequest) {
      int64_t time = ProcessCpuTime();
      if (!WriteAll(out, reinterpret_cast<const char*>(&time), sizeof(time))) return;
      continue;
    }
    if (buffer.size() < size) buffer.resize(size);
    size_t have = static_cast<size_t>(got);
    if (!ReadAll(in, buffer.data() + have, size - have)) return;
    if (!WriteAll(out, buffer.data(), size)) return;
  }
}

absl::StatusOr<std::unique_ptr<Floor>> Floor::Start(const std::string& transport) {
  Line request, reply;
  if (!OpenLines(transport, request, reply)) return absl::ErrnoToStatus(errno, transport);
  internal::UniqueFd to_child(request[1]);
  internal::UniqueFd from_child(reply[0]);
  pid_t pid = -1;
  std::string program = WorkerPath();
  std::string mode = "floor";
  char* const arguments[] = {program.data(), mode.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, request[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, reply[1], STDOUT_FILENO);
  int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(request[0]);
  close(reply[1]);
  if (error != 0) return absl::ErrnoToStatus(error, program);
  return std::unique_ptr<Floor>(new Floor(std::move(to_child), std::move(from_child), pid));
}

Floor::~Floor() {
  // Of a socket, both are the one end.
  to_child_.Reset();
  from_child_.Reset();
  waitpid(pid_, nullptr, 0);
}

void Floor::Prepare(size_t payload_size) {
  Size size = static_cast<Size>(FerryEcho::WireSize(payload_size));
  message_.assign(size, 'x');
  std::memcpy(message_.data(), &size, sizeof(size));
  echo_.resize(size);
}

absl::Status Floor::RoundTrip() {
  if (WriteAll(to_child_.get(), message_.data(), message_.size()) &&
      ReadAll(from_child_.get(), echo_.data(), echo_.size())) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("the child of the floor has ended");
}

absl::StatusOr<int64_t> Floor::PeerCpuTime() {
  int64_t time = 0;
  if (WriteAll(to_child_.get(), reinterpret_cast<const char*>(&kCpuTimeRequest), sizeof(Size)) &&
      ReadAll(from_child_.get(), reinterpret_cast<char*>(&time), sizeof(time))) {
    return time;
  }
  return absl::UnavailableError("the child of the floor has ended");
}

}  // namespace ferry::bench
