// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_STREAM_H_
#define FERRY_BENCH_SLOT_STREAM_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "echo.pb.h"
#include "echo_client.h"
#include "slot_ring_child.h"
#include "stream_direction.h"

namespace ferry::bench {

// What memory and protobuf alone take for a stream: messages in a ring of slots, both
// sides polling. Its round trip is a stream.
class SlotStream final : public EchoClient {
 public:
  // `child` outlives it. `wait` is how both sides do.
  SlotStream(SlotRingChild& child, StreamDirection direction, int messages, SlotWait wait)
      : child_(child), direction_(direction), messages_(messages), wait_(wait) {}

  void Prepare(size_t payload_size) override;
  absl::Status RoundTrip() override;
  absl::StatusOr<int64_t> PeerCpuTime() override { return child_.process().CpuTime(); }

 private:
  SlotRingChild& child_;
  const StreamDirection direction_;
  const int messages_;
  const SlotWait wait_;
  EchoMessage message_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_STREAM_H_
