// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/output_tail.h"

#include <cerrno>
#include <utility>

#include "ferry/transport/internal/sys.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {
namespace {

// What is in the pipe at the end is still taken, but not from one who goes on writing.
constexpr int kReadsAfterStop = 32;

}  // namespace

absl::StatusOr<std::unique_ptr<OutputTail>> OutputTail::Start(UniqueFd read_fd) {
  std::unique_ptr<OutputTail> tail(new OutputTail(std::move(read_fd)));
  if (absl::Status opened = tail->stop_.Open(); !opened.ok()) return opened;
  absl::StatusOr<std::thread> thread = StartThread([tail = tail.get()] { tail->Run(); });
  if (!thread.ok()) return thread.status();
  tail->thread_ = *std::move(thread);
  return tail;
}

OutputTail::~OutputTail() {
  if (!thread_.joinable()) return;
  stop_.Set();
  thread_.join();
}

void OutputTail::Run() {
  char bytes[4096];
  for (int rest = kReadsAfterStop; rest > 0;) {
    struct pollfd fds[] = {{read_fd_.get(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    if (sys::Poll(fds, std::size(fds), kNoDeadline) < 0) continue;
    if (fds[1].revents != 0) --rest;
    ssize_t got = 0;
    if (fds[0].revents != 0) got = sys::Read(read_fd_.get(), bytes, sizeof(bytes));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    MutexLock lock(mutex_);
    if (got > 0) tail_.append(bytes, static_cast<size_t>(got));
    if (tail_.size() > 2 * kLimit) tail_.erase(0, tail_.size() - kLimit);
    if (got > 0) continue;
    ended_ = true;
    ended_changed_.NotifyAll();
    return;
  }
}

std::string OutputTail::Tail() const {
  MutexLock lock(mutex_);
  return tail_.size() > kLimit ? tail_.substr(tail_.size() - kLimit) : tail_;
}

void OutputTail::AwaitEnd(Deadline deadline) {
  MutexLock lock(mutex_);
  while (!ended_ && !HasPassed(deadline)) ended_changed_.Wait(mutex_, deadline);
}

}  // namespace ferry::internal
