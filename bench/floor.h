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
#include "floor_child.h"

namespace ferry::bench {

// What the kernel alone takes for as many bytes: write(2) and read(2) to a child that
// sends back what it reads.
class Floor final : public EchoClient {
 public:
  // How both sides wait: asleep in read(2), or by calling it again and again, for which
  // each needs a CPU.
  enum class Wait { kAsleep, kPolling };

  // `transport` is pipe, named-pipe or unix.
  static absl::StatusOr<std::unique_ptr<Floor>> Start(const std::string& transport, Wait wait);

  pid_t pid() const { return child_->pid(); }

  // The message has the size of ferry's on the wire.
  void Prepare(size_t payload_size) override;
  absl::Status RoundTrip() override;
  absl::Status EndBlock() override;
  absl::StatusOr<int64_t> PeerCpuTime() override { return child_->CpuTime(); }

 private:
  Floor(std::unique_ptr<FloorChild> child, Wait wait) : child_(std::move(child)), wait_(wait) {}

  absl::Status Echo(const char* message, size_t size);

  const std::unique_ptr<FloorChild> child_;
  const Wait wait_;
  std::vector<char> message_;
  std::vector<char> echo_;
};

// The child: sends back every message from `in` on `out`, until `in` ends.
void ServeFloor(int in, int out, Floor::Wait wait);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FLOOR_H_
