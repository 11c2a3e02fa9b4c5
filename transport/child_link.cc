// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/child_link.h"

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/byte_size.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/shm_transport.h"
#include "ferry/transport/stdio_link.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

using LinkEnds = ChildProcess::LinkEnds;
using Started = absl::StatusOr<std::shared_ptr<ChildProcess>>;

Peer PeerOf(const ChildProcess& child) { return {child.description(), child.pid()}; }

absl::StatusOr<ChildLink> Linked(absl::StatusOr<std::unique_ptr<Transport>> transport,
                                 std::shared_ptr<ChildProcess> child) {
  if (!transport.ok()) return transport.status();
  return ChildLink{*std::move(transport), std::move(child)};
}

absl::Status MakePipe(UniqueFd& read_end, UniqueFd& write_end, const char* what) {
  int ends[2];
  if (sys::Pipe(ends) != 0) return absl::ErrnoToStatus(errno, what);
  read_end = UniqueFd(ends[0]);
  write_end = UniqueFd(ends[1]);
  return absl::OkStatus();
}

absl::StatusOr<ChildLink> StartOverPipes(const ChildOptions& options) {
  UniqueFd read_fd, write_fd, child_read, child_write;
  absl::Status made = MakePipe(child_read, write_fd, "pipe to a child");
  if (made.ok()) made = MakePipe(read_fd, child_write, "pipe from a child");
  if (!made.ok()) return made;

  bool on_stdio = options.link == ChildLinkKind::kStdio;
  LinkEnds ends;
  ends.link = on_stdio ? LinkOverStdio(child_read.get(), child_write.get()) : "pipe:3,4";
  ends.descriptors.push_back({std::move(child_read), on_stdio ? STDIN_FILENO : 3});
  ends.descriptors.push_back({std::move(child_write), on_stdio ? STDOUT_FILENO : 4});
  Started child = ChildProcess::Start(options, std::move(ends));
  if (!child.ok()) return child.status();
  return Linked(
      StreamTransport::Create(std::move(read_fd), std::move(write_fd),
                              internal::WriteEnd::Sharing::kOurs, PeerOf(**child), *child),
      *child);
}

std::string ShmLink(const ShmOptions& options) {
  return absl::StrCat("shm:3?ring=", internal::FormatByteSize(options.ring),
                      "&trusted=", options.trusted ? 1 : 0);
}

absl::StatusOr<ChildLink> StartOverSocket(const ChildOptions& options) {
  // Made before the child is: nobody is started for whom there is no memory.
  std::optional<ShmTransport::Outgoing> outgoing;
  if (options.link == ChildLinkKind::kShm) {
    absl::StatusOr<ShmTransport::Outgoing> made = ShmTransport::MakeOutgoing(options.shm);
    if (!made.ok()) return made.status();
    outgoing = *std::move(made);
  }
  int sockets[2];
  if (sys::SocketPair(sockets) != 0) return absl::ErrnoToStatus(errno, "socket to a child");
  UniqueFd ours(sockets[0]);
  LinkEnds ends;
  ends.link = outgoing.has_value() ? ShmLink(options.shm) : "unix:3";
  ends.descriptors.push_back({UniqueFd(sockets[1]), 3});
  Started child = ChildProcess::Start(options, std::move(ends));
  if (!child.ok()) return child.status();
  if (!outgoing.has_value()) {
    return Linked(StreamTransport::OnSocket(std::move(ours), PeerOf(**child), *child), *child);
  }
  return Linked(ShmTransport::Create(std::move(ours), *std::move(outgoing), options.shm,
                                     PeerOf(**child), *child),
                *child);
}

}  // namespace

absl::StatusOr<ChildLink> StartLinkedChild(const ChildOptions& options) {
  bool over_socket = options.link == ChildLinkKind::kUnix || options.link == ChildLinkKind::kShm;
  return over_socket ? StartOverSocket(options) : StartOverPipes(options);
}

}  // namespace ferry
