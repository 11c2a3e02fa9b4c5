// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FERRY_ECHO_H_
#define FERRY_BENCH_FERRY_ECHO_H_

#include <sys/types.h>

#include <string>

#include "absl/time/time.h"
#include "echo.ferry.h"
#include "echo_client.h"
#include "ferry/rpc/channel.h"

namespace ferry::bench {

// Echoes through blocking unary calls. Several may share one channel.
class FerryEcho final : public EchoClient {
 public:
  // `timeout` is that of each call.
  explicit FerryEcho(const Channel& channel, absl::Duration timeout = absl::InfiniteDuration())
      : stub_(channel), timeout_(timeout) {}

  void Prepare(size_t payload_size) override { request_ = MakeMessage(payload_size); }
  absl::Status RoundTrip() override;
  absl::StatusOr<int64_t> PeerCpuTime() override;

  static EchoMessage MakeMessage(size_t payload_size);

  // What such a message takes on a byte stream: itself, and a header for each frame.
  static size_t WireSize(size_t payload_size);

 private:
  const EchoStub stub_;
  const absl::Duration timeout_;
  EchoMessage request_;
  EchoMessage reply_;
};

// A child that serves, and the channel over which it is measured.
struct Worker {
  Channel parent;  // ends the child
  Channel channel;
  pid_t pid;
  std::string address;
};

// Starts `bench_worker`, to be called over `transport`: pipe, unix, named-pipe or shm.
absl::StatusOr<Worker> StartWorker(const std::string& transport);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FERRY_ECHO_H_
