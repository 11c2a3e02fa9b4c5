// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_STREAM_SYSTEMS_H_
#define FERRY_BENCH_STREAM_SYSTEMS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "echo_client.h"
#include "ferry_echo.h"
#include "floor_child.h"
#include "slot_ring_child.h"
#include "stream_direction.h"

namespace ferry::bench {

// A system that makes one kind of stream.
struct Streamer {
  std::string system;
  std::string transport;
  std::unique_ptr<EchoClient> client;
};

// What streams over one transport, ferry and its floors, and the children for that. Thread
// contract: thread-compatible.
class StreamSystems {
 public:
  // `transport` is pipe, named-pipe, unix or shm.
  static absl::StatusOr<std::unique_ptr<StreamSystems>> Start(const std::string& transport,
                                                              bool floors_only);

  std::vector<pid_t> pids() const;

  // To be measured together; ferry, if it takes part, is the last one, and before it stands
  // what it does, but for all that makes it ferry. They do not outlive this.
  // `apart`: each side has a CPU.
  std::vector<Streamer> Streamers(StreamDirection direction, int messages, bool apart) const;

 private:
  StreamSystems() = default;

  std::string transport_;
  std::string kernel_transport_;  // the kernel has no shm of its own
  std::unique_ptr<FloorChild> kernel_;
  std::unique_ptr<SlotRingChild> ring_;  // for shm
  std::optional<Worker> worker_;         // unless floors only
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_STREAM_SYSTEMS_H_
