// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FERRY_STREAM_H_
#define FERRY_BENCH_FERRY_STREAM_H_

#include <cstddef>
#include <cstdint>

#include "echo.ferry.h"
#include "echo_client.h"
#include "ferry/rpc/channel.h"
#include "stream_direction.h"

namespace ferry::bench {

// Streams through ferry. Its round trip is a call: all messages of a stream, and how it ends.
class FerryStream final : public EchoClient {
 public:
  FerryStream(const Channel& channel, StreamDirection direction, int messages)
      : stub_(channel), direction_(direction), messages_(messages) {}

  void Prepare(size_t payload_size) override;
  absl::Status RoundTrip() override {
    return direction_ == StreamDirection::kDown ? Download() : Upload();
  }
  absl::StatusOr<int64_t> PeerCpuTime() override;

 private:
  absl::Status Download();
  absl::Status Upload();

  // The status of a call that has carried so much.
  absl::Status Check(int64_t messages, int64_t payload_bytes) const;

  const EchoStub stub_;
  const StreamDirection direction_;
  const int64_t messages_;
  int64_t payload_size_ = 0;
  EchoMessage message_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FERRY_STREAM_H_
