// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/spawn.h"

#include "ferry/transport/child_link.h"

namespace ferry {

absl::StatusOr<Child> Spawn(const ChildOptions& child, const ChannelOptions& channel) {
  Deadline deadline = DeadlineAfter(channel.handshake_timeout);
  absl::StatusOr<ChildLink> link = StartLinkedChild(child);
  if (!link.ok()) return link.status();
  absl::StatusOr<Channel> opened =
      internal::OpenChannel(std::move(link->transport), channel, deadline);
  if (!opened.ok()) return opened.status();
  return Child(*std::move(opened), std::move(link->child));
}

}  // namespace ferry
