// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_STREAM_FLOOR_H_
#define FERRY_BENCH_STREAM_FLOOR_H_

#include <cstddef>
#include <cstdint>

#include "echo_client.h"
#include "floor_child.h"
#include "stream_direction.h"

namespace ferry::bench {

// What the kernel alone takes for the bytes of a stream of messages: one side calls
// write(2) for as long as there are any, the other one read(2). Its round trip is a
// stream: from telling the child of it until all is read and, of one up, the child says so.
class StreamFloor final : public EchoClient {
 public:
  enum class Style {
    kAsleep,   // each message is written by a call of its own; both sides sleep in calls
    kPolling,  // the same without sleeping, for which each side needs a CPU
    kBulk,     // asleep, but a call writes all that it can: nothing is handed over at once
  };

  // `child` runs ServeStreamFloor, and outlives it; several may share it.
  StreamFloor(const FloorChild& child, StreamDirection direction, int messages, Style style)
      : child_(child), direction_(direction), messages_(messages), style_(style) {}

  // A message has the size of ferry's on the wire.
  void Prepare(size_t payload_size) override;
  absl::Status BeginBlock() override;
  absl::Status RoundTrip() override;
  absl::StatusOr<int64_t> PeerCpuTime() override { return child_.CpuTime(); }

 private:
  const FloorChild& child_;
  const StreamDirection direction_;
  const int messages_;
  const Style style_;
  size_t write_size_ = 0;
  size_t bytes_ = 0;
};

// The child: makes the streams that `in` tells it of, until `in` ends.
void ServeStreamFloor(int in, int out);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_STREAM_FLOOR_H_
