// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>

#include "absl/base/config.h"
#include "ferry/transport/internal/sys_common.h"

namespace ferry::internal::sys {
namespace {

// Newer than Debian 12's headers (Linux 6.18: "Add RWF_NOSIGNAL flag for pwritev2").
constexpr int kRwfNoSignal = 0x100;

// Cleared for good when the kernel turns out not to know kRwfNoSignal.
std::atomic<bool> kernel_has_no_signal{true};

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

// The calls of libc are points where pthread_cancel may end the thread. A connection
// does not outlive that, and in programs with threads it costs two atomic operations a
// call. The thread sanitizer, though, has to see them.
#ifdef ABSL_HAVE_THREAD_SANITIZER
ssize_t PlainRead(int fd, void* data, size_t size) { return ::read(fd, data, size); }
ssize_t PlainReadNow(int fd, const struct iovec* piece) {
  return ::preadv2(fd, piece, 1, -1, RWF_NOWAIT);
}
ssize_t PlainWrite(int fd, const void* data, size_t size) { return ::write(fd, data, size); }
#else
ssize_t PlainRead(int fd, void* data, size_t size) { return ::syscall(SYS_read, fd, data, size); }
ssize_t PlainReadNow(int fd, const struct iovec* piece) {
  return ::syscall(SYS_preadv2, fd, piece, 1L, -1L, 0L, RWF_NOWAIT);
}
ssize_t PlainWrite(int fd, const void* data, size_t size) {
  return ::syscall(SYS_write, fd, data, size);
}
#endif

}  // namespace

ssize_t Read(int fd, void* data, size_t size) {
  if (Injected(Call::kRead, size)) return -1;
  return PlainRead(fd, data, size);
}

ssize_t ReadNow(int fd, void* data, size_t size) {
  if (Injected(Call::kRead, size)) return -1;
  struct iovec piece = {data, size};
  ssize_t result = PlainReadNow(fd, &piece);
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
    if (!HasFaultHook()) return false;
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
  return PlainWrite(fd, allowed.pieces()->iov_base, allowed.pieces()->iov_len);
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

ssize_t SendNow(int socket, const struct iovec* pieces, int count) {
  Allowed allowed(pieces, count);
  if (allowed.Injected()) return -1;
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (allowed.count() == 1) {
    return ::send(socket, allowed.pieces()->iov_base, allowed.pieces()->iov_len, kFlags);
  }
  struct msghdr message = {};
  message.msg_iov = const_cast<struct iovec*>(allowed.pieces());
  message.msg_iovlen = static_cast<size_t>(allowed.count());
  return ::sendmsg(socket, &message, kFlags);
}

ssize_t ReceiveNow(int socket, void* data, size_t size) {
  if (Injected(Call::kRead, size)) return -1;
  return ::recv(socket, data, size, MSG_DONTWAIT);
}

int Ring(int socket) {
  char byte = 0;
  if (Injected(Call::kRing)) return -1;
  return ::send(socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

void EndOfWriting(int socket) { ::shutdown(socket, SHUT_WR); }

int EndOfReading(int socket) { return ::shutdown(socket, SHUT_RD); }

int Poll(struct pollfd* fds, size_t count, Deadline deadline) {
  if (Injected(Call::kPoll)) return -1;
  if (deadline == kNoDeadline) return ::ppoll(fds, count, nullptr, nullptr);
  Deadline now = std::chrono::steady_clock::now();
  Deadline::duration left = std::max(deadline, now) - now;
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  struct timespec timeout = {seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
  return ::ppoll(fds, count, &timeout, nullptr);
}

}  // namespace ferry::internal::sys
