// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/spawn.h"

#include "ferry/rpc/internal/config.h"
#include "ferry/transport/child_link.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/parameter.h"

namespace ferry {
namespace {

// Says hello to a child, if it was started.
absl::StatusOr<Child> Open(absl::StatusOr<ChildLink> link, const ChannelOptions& options,
                           Deadline deadline) {
  if (!link.ok()) return link.status();
  absl::StatusOr<Channel> opened =
      internal::OpenChannel(std::move(link->transport), options, deadline);
  if (!opened.ok()) return opened.status();
  return Child(*std::move(opened), std::move(link->child));
}

}  // namespace

absl::StatusOr<Child> Spawn(const ChildOptions& child, const ChannelOptions& channel) {
  Deadline deadline = DeadlineAfter(channel.handshake_timeout);
  return Open(StartLinkedChild(child), channel, deadline);
}

absl::StatusOr<Child> Spawn(std::string_view address, const ChannelOptions& channel) {
  absl::StatusOr<Address> resolved = internal::ResolveAddress(address, channel.config_file);
  if (!resolved.ok()) return resolved.status();
  absl::StatusOr<ChildOptions> child = ChildOptionsOf(*resolved);
  if (!child.ok()) return child.status();
  ChannelOptions options = channel;
  internal::Apply(*resolved, options);
  Deadline deadline = DeadlineAfter(options.handshake_timeout);
  absl::StatusOr<ChildLink> link = StartLinkedChild(*child);
  if (link.ok()) {
    absl::Duration spin = link->transport->spin_limit();
    Read(*resolved, "spin", spin);
    link->transport->set_spin_limit(spin);
  }
  return Open(std::move(link), options, deadline);
}

}  // namespace ferry
