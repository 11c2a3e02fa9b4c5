// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_STREAM_BENCH_H_
#define FERRY_BENCH_STREAM_BENCH_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "report.h"

namespace ferry::bench {

// Which streams to measure.
struct StreamPlan {
  std::vector<std::string> transports;
  std::vector<std::string> placements;
  bool floors_only = false;
  std::chrono::seconds duration;  // of a case, of which all systems have a part
};

// Measures streams of each direction on its own, and prints a table.
absl::Status RunStreams(const StreamPlan& plan, Report& report);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_STREAM_BENCH_H_
