// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Spawn: a child process that serves, with a handle on the process itself.

#ifndef FERRY_RPC_SPAWN_H_
#define FERRY_RPC_SPAWN_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/rpc/channel.h"
#include "ferry/transport/child_process.h"
#include "ferry/transport/exit_status.h"

namespace ferry {

// Copies share the child. When the last of them and of its channel's copies goes, the
// child is stopped. Thread contract: thread-safe.
class Child {
 public:
  // For ferry; users have Spawn.
  Child(Channel channel, std::shared_ptr<ChildProcess> process)
      : channel_(std::move(channel)), process_(std::move(process)) {}

  // What the child serves. It sees the end of its input when the channel is closed.
  const Channel& channel() const { return channel_; }

  pid_t pid() const { return process_->pid(); }

  // Sleeps until the child has ended and says how; nullopt after `timeout`.
  std::optional<ExitStatus> Wait(absl::Duration timeout) const {
    return process_->Wait(DeadlineAfter(timeout));
  }

  // Closes the channel, on which a worker ends by itself; SIGTERM when it has not after
  // the grace of its options, SIGKILL after another.
  ExitStatus Stop() const {
    channel_.Close();
    return process_->Stop();
  }

  // The last 64 KiB of what was captured.
  std::string captured_output() const { return process_->captured_output(); }
  std::string captured_error() const { return process_->captured_error(); }

 private:
  Channel channel_;
  std::shared_ptr<ChildProcess> process_;
};

// Starts a program that serves `parent:`, and connects to it.
// Returns: what Connect does for `exec:`.
absl::StatusOr<Child> Spawn(const ChildOptions& child, const ChannelOptions& channel = {});

// The same for an address `exec:…`, or the name of an endpoint with such an address in a
// configuration file. A Child is one process: `restart` and `reconnect` have no effect.
// Returns: also INVALID_ARGUMENT for other addresses.
absl::StatusOr<Child> Spawn(std::string_view address, const ChannelOptions& channel = {});

}  // namespace ferry

#endif  // FERRY_RPC_SPAWN_H_
