// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_ECHO_CLIENT_H_
#define FERRY_BENCH_ECHO_CLIENT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ferry::bench {

// One way to have another process echo bytes; what the systems compared have in common.
// Thread contract: thread-compatible.
class EchoClient {
 public:
  virtual ~EchoClient() = default;

  // Makes the message that RoundTrip sends.
  virtual void Prepare(size_t payload_size) = 0;

  // Round trips are made between these two, but for clients that override neither. A peer
  // that polls sleeps otherwise, and leaves its CPU to other peers.
  virtual absl::Status BeginBlock() { return absl::OkStatus(); }
  virtual absl::Status EndBlock() { return absl::OkStatus(); }

  // Sends it and waits until it is back; with a stream, until all that belongs to it is done.
  virtual absl::Status RoundTrip() = 0;

  // The CPU time that the other process has used so far, in nanoseconds.
  virtual absl::StatusOr<int64_t> PeerCpuTime() = 0;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_ECHO_CLIENT_H_
