// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floor_child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "machine.h"

namespace ferry::bench {
namespace {

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

absl::StatusOr<std::unique_ptr<FloorChild>> FloorChild::Start(const std::string& mode,
                                                              const std::string& transport,
                                                              int shared) {
  Line request, reply;
  if (!OpenLines(transport, request, reply)) return absl::ErrnoToStatus(errno, transport);
  internal::UniqueFd to(request[1]);
  internal::UniqueFd from(reply[0]);
  pid_t pid = -1;
  std::string program = WorkerPath();
  std::string argument = mode;
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, request[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, reply[1], STDOUT_FILENO);
  if (shared >= 0) posix_spawn_file_actions_adddup2(&actions, shared, kSharedFd);
  int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(request[0]);
  close(reply[1]);
  if (error != 0) return absl::ErrnoToStatus(error, program);
  return std::unique_ptr<FloorChild>(new FloorChild(std::move(to), std::move(from), pid));
}

FloorChild::~FloorChild() {
  // Of a socket, both are the one end.
  to_.Reset();
  from_.Reset();
  waitpid(pid_, nullptr, 0);
}

absl::StatusOr<int64_t> FloorChild::CpuTime() const {
  clockid_t clock;
  int error = clock_getcpuclockid(pid_, &clock);
  struct timespec time = {};
  if (error == 0 && clock_gettime(clock, &time) != 0) error = errno;
  if (error != 0) return absl::ErrnoToStatus(error, "the CPU time of a floor's child");
  return int64_t{1000000000} * time.tv_sec + time.tv_nsec;
}

}  // namespace ferry::bench
