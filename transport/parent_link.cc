// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/parent_link.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ferry/transport/internal/process_watch.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stdio_link.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

// The descriptors that FERRY_PARENT names, if it does.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> InheritedPipes(absl::string_view link) {
  absl::string_view numbers = link;
  std::vector<absl::string_view> parts;
  if (absl::ConsumePrefix(&numbers, "pipe:")) parts = absl::StrSplit(numbers, ',');
  int fds[2];
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &fds[0]) ||
      !absl::SimpleAtoi(parts[1], &fds[1]) || fds[0] == fds[1]) {
    return absl::FailedPreconditionError(absl::StrCat(
        kParentVariable, "='", link,
        "', expected pipe:READ,WRITE with two descriptors, or stdio:INODE,INODE of the "
        "pipes that are stdin and stdout"));
  }
  for (int fd : fds) {
    if (fd > STDERR_FILENO && sys::FileType(fd) == S_IFIFO && sys::SetCloseOnExec(fd) == 0)
      continue;
    return absl::FailedPreconditionError(absl::StrCat(
        kParentVariable, "='", link, "', but descriptor ", fd, " is not a pipe from the parent"));
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

// Thread contract: thread-safe.
class ParentProcess final : public PeerProcess {
 public:
  ParentProcess(pid_t pid, UniqueFd pid_fd) : pid_(pid), pid_fd_(std::move(pid_fd)) {}

  int pid_fd() const override { return pid_fd_.get(); }

  absl::Status ExplainEnd(Deadline) override {
    struct pollfd ended = {pid_fd_.get(), POLLIN, 0};
    bool has_ended = sys::Poll(&ended, 1, Deadline::min()) == 1;
    return absl::UnavailableError(
        absl::StrCat("parent ", pid_, has_ended ? " has ended" : " closed the connection"));
  }

 private:
  const pid_t pid_;
  const UniqueFd pid_fd_;
};

// Null if the system does not tell when it ends.
std::shared_ptr<PeerProcess> OpenParent() {
  UniqueFd pid_fd(sys::PidFdOpen(getppid()));
  if (!pid_fd.valid()) return nullptr;
  return std::make_shared<ParentProcess>(getppid(), std::move(pid_fd));
}

// Thread contract: that of Listener.
class ParentListener final : public Listener {
 public:
  ParentListener(std::unique_ptr<Transport> transport, std::shared_ptr<PeerProcess> parent)
      : transport_(std::move(transport)), parent_(std::move(parent)) {}

  // Without a thread to watch from, or the parent's descriptor, it does without.
  void EndProcessAfter(absl::Duration grace) {
    if (parent_ == nullptr || grace == absl::InfiniteDuration()) return;
    std::string last_words = absl::StrCat("ferry: ", transport_->peer().description, " has ended, ",
                                          absl::FormatDuration(grace),
                                          " later handlers still run: ending this process\n");
    own_pid_fd_ = UniqueFd(sys::DuplicateFrom(parent_->pid_fd(), STDERR_FILENO + 1));
    if (!own_pid_fd_.valid()) return;
    auto watch = internal::ProcessWatch::Start(own_pid_fd_.get(), grace,
                                               [last_words] { sys::EndProcess(last_words); });
    if (watch.ok()) watch_ = *std::move(watch);
  }

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override {
    if (transport_ == nullptr) return absl::OutOfRangeError("there is one peer only");
    return std::move(transport_);
  }
  int wait_handle() const override { return -1; }
  bool accepts_once() const override { return true; }

 private:
  std::unique_ptr<Transport> transport_;
  const std::shared_ptr<PeerProcess> parent_;
  UniqueFd own_pid_fd_;  // the transport watches the other
  std::unique_ptr<internal::ProcessWatch> watch_;
};

std::unique_ptr<Listener> Once(std::unique_ptr<Transport> transport,
                               std::shared_ptr<PeerProcess> parent, absl::Duration orphan_grace) {
  auto listener = std::make_unique<ParentListener>(std::move(transport), std::move(parent));
  listener->EndProcessAfter(orphan_grace);
  return listener;
}

// Two pipes: what goes to the child, and what comes from it.
struct Pipes {
  UniqueFd child_read, write, read, child_write;
};

absl::StatusOr<Pipes> MakePipes() {
  int to_child[2], from_child[2];
  if (sys::Pipe(to_child) != 0) return absl::ErrnoToStatus(errno, "pipe to a child");
  Pipes pipes = {UniqueFd(to_child[0]), UniqueFd(to_child[1]), UniqueFd(), UniqueFd()};
  if (sys::Pipe(from_child) != 0) return absl::ErrnoToStatus(errno, "pipe from a child");
  pipes.read = UniqueFd(from_child[0]);
  pipes.child_write = UniqueFd(from_child[1]);
  return pipes;
}

Peer ParentPeer() { return {absl::StrCat("parent ", getppid()), getppid()}; }

}  // namespace

absl::StatusOr<ChildLink> StartLinkedChild(const ChildOptions& options) {
  absl::StatusOr<Pipes> pipes = MakePipes();
  if (!pipes.ok()) return pipes.status();
  ChildProcess::LinkEnds ends = {std::move(pipes->child_read), std::move(pipes->child_write), 3, 4,
                                 absl::StrCat(kParentVariable, "=pipe:3,4")};
  if (options.link == ChildLinkKind::kStdio) {
    ends.read_target = STDIN_FILENO;
    ends.write_target = STDOUT_FILENO;
    ends.variable =
        absl::StrCat(kParentVariable, "=", LinkOverStdio(ends.read_fd.get(), ends.write_fd.get()));
  }
  absl::StatusOr<std::shared_ptr<ChildProcess>> child =
      ChildProcess::Start(options, std::move(ends));
  if (!child.ok()) return child.status();

  Peer peer = {(*child)->description(), (*child)->pid()};
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      StreamTransport::Create(std::move(pipes->read), std::move(pipes->write),
                              internal::WriteEnd::Sharing::kOurs, std::move(peer), *child);
  if (!transport.ok()) return transport.status();
  return ChildLink{*std::move(transport), *std::move(child)};
}

absl::StatusOr<std::unique_ptr<Listener>> ListenToParent(
    std::optional<absl::Duration> orphan_grace) {
  const char* variable = getenv(kParentVariable);
  std::string link = variable != nullptr ? variable : StdioWasTakenEarly() ? "stdio" : "";
  if (link.empty()) {
    return absl::FailedPreconditionError(
        "parent: this program is a ferry worker and serves the process that starts it, but "
        "none did. Start it through ferry: Connect(\"exec:PROGRAM?arg=parent:\") in C++, or "
        "give that address to a ferry client");
  }
  unsetenv(kParentVariable);
  std::shared_ptr<PeerProcess> parent = OpenParent();
  absl::StatusOr<std::unique_ptr<Transport>> transport;
  if (IsLinkOverStdio(link.c_str())) {
    transport = AttachToStdio(ParentPeer(), parent);
  } else {
    absl::StatusOr<std::pair<UniqueFd, UniqueFd>> pipes = InheritedPipes(link);
    if (!pipes.ok()) return pipes.status();
    transport = StreamTransport::Create(std::move(pipes->first), std::move(pipes->second),
                                        internal::WriteEnd::Sharing::kOurs, ParentPeer(), parent);
  }
  if (!transport.ok()) return transport.status();
  return Once(*std::move(transport), std::move(parent), orphan_grace.value_or(kDefaultOrphanGrace));
}

absl::StatusOr<std::unique_ptr<Listener>> ListenToStdio(
    std::optional<absl::Duration> orphan_grace) {
  bool by_ferry = StdioWasTakenEarly();
  absl::StatusOr<std::unique_ptr<Transport>> transport = ConnectToStdio();
  if (!transport.ok()) return transport.status();
  return Once(*std::move(transport), OpenParent(),
              orphan_grace.value_or(by_ferry ? kDefaultOrphanGrace : absl::InfiniteDuration()));
}

}  // namespace ferry
