// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SPAWN_PLAN_H_
#define FERRY_TRANSPORT_INTERNAL_SPAWN_PLAN_H_

#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "ferry/transport/child_options.h"
#include "ferry/transport/internal/fd.h"

namespace ferry::internal {

// What posix_spawn is to do: which descriptors the child has, then which program it
// is. Thread contract: thread-compatible.
class SpawnPlan {
 public:
  // The child will have no descriptor from `first_closed` on.
  explicit SpawnPlan(int first_closed);
  ~SpawnPlan();
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // In the child, `target` is what `path` opens to. REQUIRES: target < first_closed.
  void Open(const char* path, int flags, int target);

  // In the child, `target` is our `source`, which is kept until the plan is destroyed.
  // Returns: RESOURCE_EXHAUSTED when this process has no descriptor left.
  absl::Status Place(UniqueFd source, int target);

  // The child has no `target`. REQUIRES: target < first_closed.
  void Leave(int target);

  // The program starts in this directory. A failure looks like one of the program.
  void ChangeDirectory(const std::string& path);

  // Starts the program, with `variable` ("NAME=value") in the environment that the options
  // describe. Answers 0 and the pid, or an errno.
  int Run(const ChildOptions& options, const std::string& variable, pid_t& pid);

 private:
  const int first_closed_;
  posix_spawn_file_actions_t actions_;
  std::vector<UniqueFd> sources_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SPAWN_PLAN_H_
