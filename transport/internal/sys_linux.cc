// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "ferry/transport/internal/sys.h"

namespace ferry::internal::sys {
namespace {

// Newer than Debian 12's headers (Linux 6.18: "Add RWF_NOSIGNAL flag for pwritev2").
constexpr int kRwfNoSignal = 0x100;

std::atomic<FaultHook*> fault_hook{nullptr};

// Cleared for good when the kernel turns out not to know kRwfNoSignal.
std::atomic<bool> kernel_has_no_signal{true};

// True if the call is to fail; errno is set then.
bool Injected(Call call, size_t& length) {
  FaultHook* hook = fault_hook.load(std::memory_order_relaxed);
  if (hook == nullptr) return false;
  errno = hook->Before(call, length);
  return errno != 0;
}

bool Injected(Call call) {
  size_t length = 0;
  return Injected(call, length);
}

// writev with SIGPIPE held back on this thread, and taken away again if it was ours;
// the way of PostgreSQL's libpq. For kernels before 6.18.
ssize_t WriteWithSignalBlocked(int fd, const struct iovec* pieces, int count) {
  sigset_t pipe_signal, old_mask, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &old_mask);
  sigpending(&pending);
  bool was_pending = sigismember(&pending, SIGPIPE) == 1;

  ssize_t written = ::writev(fd, pieces, count);
  int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    struct timespec none = {};
    while (sigtimedwait(&pipe_signal, nullptr, &none) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
  errno = error;
  return written;
}

// Keeps a new descriptor off 0, 1 and 2, which may be free: what the program prints
// would go there.
int AboveStdio(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int error = errno;
  ::close(fd);
  errno = error;
  return moved;
}

}  // namespace

void SetFaultHook(FaultHook* hook) { fault_hook.store(hook, std::memory_order_relaxed); }

ssize_t Read(int fd, void* data, size_t size) {
  if (Injected(Call::kRead, size)) return -1;
  return ::read(fd, data, size);
}

ssize_t ReadNow(int fd, void* data, size_t size) {
  if (Injected(Call::kRead, size)) return -1;
  struct iovec piece = {data, size};
  ssize_t result = ::preadv2(fd, &piece, 1, -1, RWF_NOWAIT);
  if (result >= 0 || errno != EOPNOTSUPP) return result;
  // Not every kind of descriptor has it. Nobody else reads here, so what poll saw
  // cannot be gone before the read.
  struct pollfd readable = {fd, POLLIN, 0};
  int ready = ::poll(&readable, 1, 0);
  if (ready == 0) errno = EAGAIN;
  return ready <= 0 ? -1 : ::read(fd, data, size);
}

namespace {

// The pieces of a write, cut down to what a test allows.
class Allowed {
 public:
  Allowed(const struct iovec* pieces, int count) : pieces_(pieces), count_(count) {}

  // True if the call is to fail; errno is set then.
  bool Injected() {
    if (fault_hook.load(std::memory_order_relaxed) == nullptr) return false;
    first_ = pieces_[0];
    size_t length = first_.iov_len;
    if (sys::Injected(Call::kWrite, length)) return true;
    if (length == first_.iov_len) return false;
    first_.iov_len = length;
    pieces_ = &first_;
    count_ = 1;
    return false;
  }

  const struct iovec* pieces() const { return pieces_; }
  int count() const { return count_; }

 private:
  const struct iovec* pieces_;
  int count_;
  struct iovec first_;
};

}  // namespace

ssize_t Write(int fd, const struct iovec* pieces, int count) {
  Allowed allowed(pieces, count);
  if (allowed.Injected()) return -1;
  if (allowed.count() > 1) return ::writev(fd, allowed.pieces(), allowed.count());
  return ::write(fd, allowed.pieces()->iov_base, allowed.pieces()->iov_len);
}

ssize_t WriteNoSignal(int fd, const struct iovec* pieces, int count) {
  Allowed allowed(pieces, count);
  if (allowed.Injected()) return -1;
  if (kernel_has_no_signal.load(std::memory_order_relaxed)) {
    ssize_t written = Injected(Call::kNoSignalWrite)
                          ? -1
                          : ::pwritev2(fd, allowed.pieces(), allowed.count(), -1, kRwfNoSignal);
    if (written >= 0 || (errno != EOPNOTSUPP && errno != EINVAL)) return written;
    kernel_has_no_signal.store(false, std::memory_order_relaxed);
  }
  return WriteWithSignalBlocked(fd, allowed.pieces(), allowed.count());
}

int Poll(struct pollfd* fds, size_t count, Deadline deadline) {
  if (Injected(Call::kPoll)) return -1;
  if (deadline == kNoDeadline) return ::ppoll(fds, count, nullptr, nullptr);
  auto left = std::max(deadline - std::chrono::steady_clock::now(), Deadline::duration::zero());
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  struct timespec timeout = {seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
  return ::ppoll(fds, count, &timeout, nullptr);
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

int OpenOtherEnd(int fd, int mode) {
  if (Injected(Call::kOpen)) return -1;
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return AboveStdio(::open(path, mode | O_NONBLOCK | O_CLOEXEC));
}

}  // namespace

int OpenWriteEnd(int pipe_read_fd) { return OpenOtherEnd(pipe_read_fd, O_WRONLY); }
int OpenReadEnd(int pipe_write_fd) { return OpenOtherEnd(pipe_write_fd, O_RDONLY); }

int DuplicateFrom(int fd, int lowest) {
  return Injected(Call::kFcntl) ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, lowest);
}

int SetNonBlocking(int fd) {
  if (Injected(Call::kFcntl)) return -1;
  int flags = ::fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int SetCloseOnExec(int fd) {
  return Injected(Call::kFcntl) ? -1 : ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool IsPipe(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

void Close(int fd) { ::close(fd); }

int EventFd() {
  return Injected(Call::kEventFd) ? -1 : AboveStdio(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int EpollCreate() {
  return Injected(Call::kEpoll) ? -1 : AboveStdio(::epoll_create1(EPOLL_CLOEXEC));
}

int EpollControl(int epoll_fd, int operation, int fd, uint32_t events) {
  if (Injected(Call::kEpoll)) return -1;
  struct epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  return ::epoll_ctl(epoll_fd, operation, fd, &event);
}

int SpawnProcess(pid_t* pid, const char* program, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const arguments[],
                 char* const environment[]) {
  if (Injected(Call::kSpawn)) return errno;
  return ::posix_spawnp(pid, program, actions, attributes, arguments, environment);
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

}  // namespace ferry::internal::sys
