// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "ferry/transport/internal/sys_common.h"

namespace ferry::internal::sys {

int SpawnProcess(pid_t* pid, const char* program, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const arguments[],
                 char* const environment[]) {
  if (Injected(Call::kSpawn)) return errno;
  return ::posix_spawn(pid, program, actions, attributes, arguments, environment);
}

int PidFdOpen(pid_t pid) {
  if (Injected(Call::kPidFdOpen)) return -1;
  return AboveStdio(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int WaitId(int pid_fd, siginfo_t* info, int options) {
  if (Injected(Call::kWaitId)) return -1;
  return ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pid_fd), info, options);
}

int SendSignal(int pid_fd, int signal) {
  if (Injected(Call::kKill)) return -1;
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pid_fd, signal, nullptr, 0));
}

void KillAndReap(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

int RunningCpus() { return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)); }

int AllowedCpus() {
  cpu_set_t allowed;
  // More than fit: certainly more than one.
  return ::sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : CPU_SETSIZE;
}

int64_t Preemptions() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

void KeepOnly(int fd) {
  // Without the first call, the table is the process's, and nothing may be closed.
  unsigned int next = static_cast<unsigned int>(fd) + 1;
  if (::syscall(SYS_close_range, next, UINT_MAX, CLOSE_RANGE_UNSHARE) == 0) {
    ::syscall(SYS_close_range, 0, next - 2, 0);
  }
}

void EndProcess(const std::string& last_words) {
  int fd = ::open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
  ssize_t written = ::write(fd, last_words.data(), last_words.size());
  static_cast<void>(written);
  ::_exit(1);
}

}  // namespace ferry::internal::sys
