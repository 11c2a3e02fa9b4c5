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
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

constexpr char kVariable[] = "FERRY_PARENT";

// The descriptors that FERRY_PARENT names, if it does.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> InheritedPipes(absl::string_view link) {
  absl::string_view numbers = link;
  std::vector<absl::string_view> parts;
  if (absl::ConsumePrefix(&numbers, "pipe:")) parts = absl::StrSplit(numbers, ',');
  int fds[2];
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &fds[0]) ||
      !absl::SimpleAtoi(parts[1], &fds[1]) || fds[0] == fds[1]) {
    return absl::FailedPreconditionError(
        absl::StrCat(kVariable, "='", link, "', expected pipe:READ,WRITE with two descriptors"));
  }
  for (int fd : fds) {
    if (fd > STDERR_FILENO && sys::IsPipe(fd) && sys::SetCloseOnExec(fd) == 0) continue;
    return absl::FailedPreconditionError(absl::StrCat(kVariable, "='", link, "', but descriptor ",
                                                      fd, " is not a pipe from the parent"));
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

// Thread contract: that of Listener.
class ParentListener final : public Listener {
 public:
  explicit ParentListener(std::unique_ptr<Transport> transport)
      : transport_(std::move(transport)) {}

  absl::StatusOr<std::unique_ptr<Transport>> Accept() override {
    if (transport_ == nullptr) return absl::OutOfRangeError("parent: has one peer only");
    return std::move(transport_);
  }
  bool accepts_once() const override { return true; }
  void Close() override {}

 private:
  std::unique_ptr<Transport> transport_;
};

}  // namespace

absl::StatusOr<ChildLink> StartLinkedChild(const ChildOptions& options) {
  int to_child[2], from_child[2];
  if (sys::Pipe(to_child) != 0) return absl::ErrnoToStatus(errno, "pipe to a child");
  UniqueFd child_read(to_child[0]), write_fd(to_child[1]);
  if (sys::Pipe(from_child) != 0) return absl::ErrnoToStatus(errno, "pipe from a child");
  UniqueFd read_fd(from_child[0]), child_write(from_child[1]);

  ChildProcess::Inheritance inheritance;
  inheritance.descriptors.push_back(std::move(child_read));
  inheritance.descriptors.push_back(std::move(child_write));
  inheritance.variable = absl::StrCat(kVariable, "=pipe:3,4");
  absl::StatusOr<std::shared_ptr<ChildProcess>> child =
      ChildProcess::Start(options, std::move(inheritance));
  if (!child.ok()) return child.status();

  Peer peer = {(*child)->description(), (*child)->pid()};
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      StreamTransport::Create(std::move(read_fd), std::move(write_fd), std::move(peer),
                              [child = *child] { return child->ExplainEnd(); });
  if (!transport.ok()) return transport.status();
  return ChildLink{*std::move(transport), *std::move(child)};
}

absl::StatusOr<std::unique_ptr<Transport>> AttachToParent() {
  const char* link = getenv(kVariable);
  if (link == nullptr) {
    return absl::FailedPreconditionError(
        "parent: this program is a ferry worker and serves the process that starts it, but "
        "none did. Start it through ferry: Connect(\"exec:PROGRAM?arg=parent:\") in C++, or "
        "give that address to a ferry client");
  }
  absl::StatusOr<std::pair<UniqueFd, UniqueFd>> pipes = InheritedPipes(link);
  unsetenv(kVariable);
  if (!pipes.ok()) return pipes.status();
  Peer peer = {absl::StrCat("parent ", getppid()), getppid()};
  return StreamTransport::Create(std::move(pipes->first), std::move(pipes->second), std::move(peer),
                                 nullptr);
}

absl::StatusOr<std::unique_ptr<Listener>> ListenToParent() {
  absl::StatusOr<std::unique_ptr<Transport>> transport = AttachToParent();
  if (!transport.ok()) return transport.status();
  return std::make_unique<ParentListener>(*std::move(transport));
}

}  // namespace ferry
