// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_PROCESS_WATCH_H_
#define FERRY_TRANSPORT_INTERNAL_PROCESS_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/transport/internal/fork.h"

namespace ferry::internal {

class ProcessWatchThread;

// Tells when a process has ended. End of file on a pipe from it says the same, unless
// some other process has inherited the pipe.
//
// All watches of this process share one thread, which is started for the first and ends
// with the last; it sleeps until there is something to tell. It has a descriptor table
// of its own (sys::KeepOnly), so a callback cannot use descriptors.
//
// Thread contract: thread-compatible.
class ProcessWatch {
 public:
  // Once, on the watching thread: short, and without descriptors.
  using Ended = std::function<void()>;

  // `ended` runs `delay` after the process of `pid_fd` has ended. The descriptor outlives
  // the watch, and has no other: epoll takes each number once.
  // Returns: RESOURCE_EXHAUSTED when there is no thread or descriptor left.
  static absl::StatusOr<std::unique_ptr<ProcessWatch>> Start(int pid_fd, absl::Duration delay,
                                                             Ended ended);

  // `ended` does not run any more; waits for it if it runs now.
  ~ProcessWatch();

 private:
  ProcessWatch(std::shared_ptr<ProcessWatchThread> thread, int pid_fd, uint64_t id);

  const ForkMark fork_mark_;
  std::shared_ptr<ProcessWatchThread> thread_;
  const int pid_fd_;
  const uint64_t id_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PROCESS_WATCH_H_
