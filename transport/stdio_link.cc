// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/stdio_link.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

constexpr char kPrefix[] = "stdio:";

// Off the numbers that programs count on.
constexpr int kFirstPrivate = 10;

struct Pair {
  int read_fd = -1, write_fd = -1;
  int error = 0;
};

bool CanCarryCalls(int fd) {
  mode_t type = sys::FileType(fd);
  return type == S_IFIFO || type == S_IFSOCK;
}

// What it is instead.
const char* Describe(int fd) {
  if (!sys::IsOpen(fd)) return "closed";
  if (sys::FileType(fd) == S_IFREG) return "a regular file";
  if (sys::FileType(fd) == S_IFDIR) return "a directory";
  return sys::IsTerminal(fd) ? "a terminal" : "a device";
}

// No allocation and no C++ stream: it may run before any constructor.
Pair MoveAway() {
  Pair pair;
  pair.read_fd = sys::DuplicateFrom(STDIN_FILENO, kFirstPrivate);
  pair.write_fd = sys::DuplicateFrom(STDOUT_FILENO, kFirstPrivate);
  bool moved = pair.read_fd >= 0 && pair.write_fd >= 0 &&
               sys::OpenOnto("/dev/null", O_RDONLY, STDIN_FILENO) >= 0 &&
               (sys::DuplicateOnto(STDERR_FILENO, STDOUT_FILENO) >= 0 ||
                sys::OpenOnto("/dev/null", O_WRONLY, STDOUT_FILENO) >= 0);
  if (!moved) pair.error = errno;
  return pair;
}

// Constant before main.
Pair early;

[[gnu::constructor(101)]] void TakeEarly() {
  const char* link = getenv(kParentVariable);
  if (link == nullptr || !IsLinkOverStdio(link)) return;
  if (!CanCarryCalls(STDIN_FILENO) || !CanCarryCalls(STDOUT_FILENO)) return;
  early = MoveAway();
  if (early.error == 0) unsetenv(kParentVariable);
}

std::atomic<bool> taken{false};

}  // namespace

bool StdioWasTakenEarly() { return early.read_fd >= 0; }

std::string LinkOverStdio(int child_read, int child_write) {
  return absl::StrCat(kPrefix, sys::PipeNumber(child_read), ",", sys::PipeNumber(child_write));
}

bool IsLinkOverStdio(const char* link) {
  unsigned long long numbers[2];
  if (std::strcmp(link, "stdio") == 0) return true;
  return std::sscanf(link, "stdio:%llu,%llu", &numbers[0], &numbers[1]) == 2 &&
         numbers[0] == sys::PipeNumber(STDIN_FILENO) &&
         numbers[1] == sys::PipeNumber(STDOUT_FILENO);
}

absl::StatusOr<std::unique_ptr<Transport>> AttachToStdio(Peer peer,
                                                         std::shared_ptr<PeerProcess> process) {
  if (taken.exchange(true)) {
    return absl::FailedPreconditionError(
        "stdio: stdin and stdout of this process carry calls already");
  }
  for (int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    if (StdioWasTakenEarly() || CanCarryCalls(fd)) continue;
    taken.store(false);
    return absl::FailedPreconditionError(absl::StrCat(
        "stdio: ", fd == STDIN_FILENO ? "stdin" : "stdout", " is ", Describe(fd),
        "; expected a pipe or a socket from a program that speaks ferry's protocol, and "
        "starts this one"));
  }
  Pair pair = StdioWasTakenEarly() ? early : MoveAway();
  UniqueFd read_fd(pair.read_fd), write_fd(pair.write_fd);
  if (pair.error != 0) return absl::ErrnoToStatus(pair.error, "moving stdin and stdout away");
  std::fflush(stdout);  // to stderr, by now
  return StreamTransport::Create(std::move(read_fd), std::move(write_fd),
                                 internal::WriteEnd::Sharing::kShared, std::move(peer),
                                 std::move(process));
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectToStdio() {
  return AttachToStdio({"the peer on stdin and stdout", -1}, nullptr);
}

}  // namespace ferry
