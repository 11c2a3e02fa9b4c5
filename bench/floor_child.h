// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FLOOR_CHILD_H_
#define FERRY_BENCH_FLOOR_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ferry/transport/internal/fd.h"

namespace ferry::bench {

// A child that is the other side of a floor. It ends when this object does, or this
// process. Thread contract: thread-compatible.
class FloorChild {
 public:
  // What a child finds as this descriptor if it is given `shared`.
  static constexpr int kSharedFd = 3;

  // Starts `bench_worker MODE`, just as ferry starts its own. `transport`, which is pipe,
  // named-pipe or unix, becomes its stdin and stdout. `shared` is a descriptor for it.
  static absl::StatusOr<std::unique_ptr<FloorChild>> Start(const std::string& mode,
                                                           const std::string& transport,
                                                           int shared = -1);
  FloorChild(const FloorChild&) = delete;
  FloorChild& operator=(const FloorChild&) = delete;
  ~FloorChild();

  pid_t pid() const { return pid_; }
  int to() const { return to_.get(); }
  int from() const { return from_.get(); }

  // What it has used so far, in nanoseconds; it is not disturbed.
  absl::StatusOr<int64_t> CpuTime() const;

 private:
  FloorChild(internal::UniqueFd to, internal::UniqueFd from, pid_t pid)
      : to_(std::move(to)), from_(std::move(from)), pid_(pid) {}

  internal::UniqueFd to_;
  internal::UniqueFd from_;
  const pid_t pid_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FLOOR_CHILD_H_
