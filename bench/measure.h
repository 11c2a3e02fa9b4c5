// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_MEASURE_H_
#define FERRY_BENCH_MEASURE_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "echo_client.h"
#include "samples.h"

namespace ferry::bench {

struct Measurement {
  Samples samples;
  int64_t elapsed_ns = 0;  // while `samples` were taken
  int64_t calls = 0;       // `samples` and those that were not timed
  int64_t cpu_ns = 0;      // of both processes, for `calls`
};

// Alternates blocks of round trips of the clients until the time is up, so that what
// the machine does in between meets all of them alike. The first round trip of a block
// is not timed: it finds a peer that has slept through the others' blocks.
absl::StatusOr<std::vector<Measurement>> MeasureInTurns(absl::Span<EchoClient* const> clients,
                                                        int block, std::chrono::seconds duration);

// Lets each client run on a thread of its own until the time is up. They share a peer.
absl::StatusOr<Measurement> MeasureTogether(absl::Span<EchoClient* const> clients,
                                            std::chrono::seconds duration);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_MEASURE_H_
