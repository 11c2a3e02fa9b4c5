// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "ferry/transport/internal/sys_common.h"

namespace ferry::internal::sys {

std::atomic<FaultHook*> fault_hook{nullptr};

void SetFaultHook(FaultHook* hook) { fault_hook.store(hook, std::memory_order_relaxed); }

int AboveStdio(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int error = errno;
  ::close(fd);
  errno = error;
  return moved;
}

int Pipe(int fds[2]) {
  if (Injected(Call::kPipe) || ::pipe2(fds, O_CLOEXEC) != 0) return -1;
  fds[0] = AboveStdio(fds[0]);
  fds[1] = AboveStdio(fds[1]);
  if (fds[0] >= 0 && fds[1] >= 0) return 0;
  int error = errno;
  for (int i : {0, 1}) {
    if (fds[i] >= 0) ::close(fds[i]);
  }
  errno = error;
  return -1;
}

namespace {

// /proc/self is the process, whichever thread asks, with the table of its main thread.
int OpenThroughProc(int fd, int mode) {
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return ::open(path, mode | O_NONBLOCK | O_CLOEXEC);
}

}  // namespace

int OpenReadingEnd(int pipe_read_fd) {
  if (Injected(Call::kOpen)) return -1;
  return AboveStdio(OpenThroughProc(pipe_read_fd, O_RDONLY));
}

int OpenBothEnds(int pipe_fd) {
  return Injected(Call::kOpen) ? -1 : AboveStdio(OpenThroughProc(pipe_fd, O_RDWR));
}

int SetPipeCapacity(int pipe_fd, size_t bytes) {
  if (Injected(Call::kFcntl)) return -1;
  return ::fcntl(pipe_fd, F_SETPIPE_SZ, static_cast<int>(bytes)) < 0 ? -1 : 0;
}

bool WakeReader(int pipe_read_fd) {
  int fd = OpenThroughProc(pipe_read_fd, O_WRONLY);
  if (fd < 0) return false;
  // The pipe has a reader, the one that is to be woken, so there is no SIGPIPE.
  char byte = 0;
  ssize_t written;
  while ((written = ::write(fd, &byte, 1)) < 0 && errno == EINTR) {
  }
  ::close(fd);
  return written == 1;
}

int OpenOnto(const char* path, int flags, int target) {
  int fd = ::open(path, flags | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = DuplicateOnto(fd, target);
  int error = errno;
  ::close(fd);
  errno = error;
  return result;
}

int DuplicateOnto(int fd, int target) { return Injected(Call::kFcntl) ? -1 : ::dup2(fd, target); }

int DuplicateFrom(int fd, int lowest) {
  return Injected(Call::kFcntl) ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, lowest);
}

int SetNonBlocking(int fd) {
  if (Injected(Call::kFcntl)) return -1;
  int flags = ::fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int SetBlocking(int fd) {
  if (Injected(Call::kFcntl)) return -1;
  int flags = ::fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int SetCloseOnExec(int fd) {
  return Injected(Call::kFcntl) ? -1 : ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool IsNonBlocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

bool IsReadable(int fd) { return (::fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY; }

int Stat(const std::string& path, struct stat& status) { return ::stat(path.c_str(), &status); }

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

mode_t FileType(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

uint64_t PipeNumber(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

void Close(int fd) { ::close(fd); }

int OpenNull() { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }

void ReplaceBy(int null, int fd) {
  if (null < 0 || ::dup3(null, fd, O_CLOEXEC) < 0) ::close(fd);
}

int EventFd() {
  return Injected(Call::kEventFd) ? -1 : AboveStdio(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int EpollCreate() {
  return Injected(Call::kEpoll) ? -1 : AboveStdio(::epoll_create1(EPOLL_CLOEXEC));
}

int TimerFd() {
  if (Injected(Call::kTimerFd)) return -1;
  return AboveStdio(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int SetTimer(int timer_fd, Deadline deadline) {
  struct itimerspec at = {};
  if (deadline != kNoDeadline) {
    // Of the same clock as the steady one's. Zero would mean never.
    auto since = std::max(deadline.time_since_epoch(), Deadline::duration(1));
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    at.it_value.tv_sec = seconds.count();
    at.it_value.tv_nsec = std::chrono::nanoseconds(since - seconds).count();
  }
  return ::timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, nullptr);
}

int EpollControl(int epoll_fd, int operation, int fd, uint32_t events, uint64_t id) {
  if (Injected(Call::kEpoll)) return -1;
  struct epoll_event event = {};
  event.events = events;
  event.data.u64 = id;
  return ::epoll_ctl(epoll_fd, operation, fd, &event);
}

size_t EpollWait(int epoll_fd, Deadline deadline, struct epoll_event* events, size_t max) {
  int timeout = -1;
  if (deadline != kNoDeadline) {
    // epoll_pwait2, which takes a deadline, needs Linux 5.11.
    struct pollfd ready = {epoll_fd, POLLIN, 0};
    Poll(&ready, 1, deadline);
    timeout = 0;
  } else if (Injected(Call::kPoll)) {
    return 0;
  }
  int count = ::epoll_wait(epoll_fd, events, static_cast<int>(max), timeout);
  return count > 0 ? static_cast<size_t>(count) : 0;
}

}  // namespace ferry::internal::sys
