// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/parent_link.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ferry/transport/address.h"
#include "ferry/transport/internal/process_watch.h"
#include "ferry/transport/internal/shm_parameters.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/parameter.h"
#include "ferry/transport/shm_transport.h"
#include "ferry/transport/stdio_link.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

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

Peer ParentPeer() { return {absl::StrCat("parent ", getppid()), getppid()}; }

absl::Status NoSuchLink(absl::string_view link) {
  return absl::FailedPreconditionError(absl::StrCat(
      kParentVariable, "='", link,
      "', expected pipe:READ,WRITE with two descriptors, unix:SOCKET or shm:SOCKET with one, or "
      "stdio:INODE,INODE of the pipes that are stdin and stdout"));
}

// The descriptors that the link names, `count` of them.
absl::StatusOr<std::vector<UniqueFd>> InheritedBy(const Address& link, size_t count, mode_t type) {
  std::vector<int> fds;
  if (link.words.size() == 1) {
    for (absl::string_view number : absl::StrSplit(link.words[0], ',')) {
      fds.push_back(-1);
      if (!absl::SimpleAtoi(number, &fds.back())) return NoSuchLink(link.text);
    }
  }
  if (fds.size() != count || (count == 2 && fds[0] == fds[1])) return NoSuchLink(link.text);
  for (int fd : fds) {
    if (fd > STDERR_FILENO && sys::FileType(fd) == type && sys::SetCloseOnExec(fd) == 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(kParentVariable, "='", link.text, "', but descriptor ", fd, " is not a ",
                     type == S_IFIFO ? "pipe" : "socket", " from the parent"));
  }
  return std::vector<UniqueFd>(fds.begin(), fds.end());
}

absl::StatusOr<std::unique_ptr<Transport>> AttachOverShm(UniqueFd socket, const ShmOptions& options,
                                                         std::shared_ptr<PeerProcess> parent) {
  absl::StatusOr<ShmTransport::Outgoing> outgoing = ShmTransport::MakeOutgoing(options);
  if (!outgoing.ok()) return outgoing.status();
  return ShmTransport::Create(std::move(socket), *std::move(outgoing), options, ParentPeer(),
                              std::move(parent));
}

absl::StatusOr<std::unique_ptr<Transport>> AttachToParent(const std::string& given,
                                                          std::shared_ptr<PeerProcess> parent) {
  if (IsLinkOverStdio(given.c_str())) return AttachToStdio(ParentPeer(), std::move(parent));
  absl::StatusOr<Address> link = Address::Parse(given);
  if (!link.ok()) return NoSuchLink(given);
  bool is_shm = link->scheme == "shm", is_pipes = link->scheme == "pipe";
  if (!is_shm && !is_pipes && link->scheme != "unix") return NoSuchLink(given);
  if (!is_shm && !link->parameters.empty()) return NoSuchLink(given);
  if (is_shm && !CheckAddress(*link).ok()) return NoSuchLink(given);
  absl::StatusOr<std::vector<UniqueFd>> fds =
      InheritedBy(*link, is_pipes ? 2 : 1, is_pipes ? S_IFIFO : S_IFSOCK);
  if (!fds.ok()) return fds.status();
  UniqueFd& first = fds->front();
  if (is_shm) {
    return AttachOverShm(std::move(first), internal::ShmOptionsOf(*link), std::move(parent));
  }
  if (!is_pipes) {
    return StreamTransport::OnSocket(std::move(first), ParentPeer(), std::move(parent));
  }
  return StreamTransport::Create(std::move(first), std::move(fds->back()),
                                 internal::WriteEnd::Sharing::kOurs, ParentPeer(),
                                 std::move(parent));
}

}  // namespace

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
  absl::StatusOr<std::unique_ptr<Transport>> transport = AttachToParent(link, parent);
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
