// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FLOOR_H_
#define FERRY_BENCH_FLOOR_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "echo_client.h"
#include "ferry/transport/internal/fd.h"

namespace ferry::bench {

// What the kernel alone takes for as many bytes: blocking write(2) and read(2) to a child
// that sends back what it reads.
class Floor final : public EchoClient {
 public:
  // Starts the child: `bench_worker floor`, just as ferry starts its own. `transport` is
  // pipe, named-pipe or unix.
  static absl::StatusOr<std::unique_ptr<Floor>> Start(const std::string& transport);
  ~Floor() override;

  pid_t pid() const { return pid_; }

  // The message has the size of ferry's on the wire.
  void Prepare(size_t payload_size) override;
  absl::Status RoundTrip() override;
  absl::StatusOr<int64_t> PeerCpuTime() override;

 private:
  Floor(internal::UniqueFd to_child, internal::UniqueFd from_child, pid_t pid)
      : to_child_(std::move(to_child)), from_child_(std::move(from_child)), pid_(pid) {}

  internal::UniqueFd to_child_;
  internal::UniqueFd from_child_;
  const pid_t pid_;
  std::vector<char> message_;
  std::vector<char> echo_;
};

// The child: sends back every message from `in` on `out`, until `in` ends.
void ServeFloor(int in, int out);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FLOOR_H_
