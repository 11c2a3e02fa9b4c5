// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_REPORT_H_
#define FERRY_BENCH_REPORT_H_

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "measure.h"

namespace ferry::bench {

// What a measurement is of. The texts go into JSON as they are.
struct Case {
  std::string system;  // "ferry", or what the comment of ferry_bench.cc lists
  std::string transport;
  std::string name;
  size_t payload = 0;  // bytes of a message
  int in_flight = 1;   // calls
  int messages = 1;    // of one stream
};

// Numbers to compare others with.
struct Baseline {
  std::string system;
  double p50_ns;
  double mean_ns;
};

// A table on stdout and, if wanted, a file with one JSON object a line.
class Report {
 public:
  // `json_path` may be "".
  // Returns: the error of a file that cannot be written.
  static absl::StatusOr<Report> Open(const std::string& json_path);

  void PrintHeadOfCalls() const;
  void PrintHeadOfStreams() const;

  // Both answer the numbers for others to be compared with; `baselines` give the ratios in
  // this row, the last one the first. Of streams each sample is a whole one.
  Baseline AddCalls(const Case& what, Measurement& measured,
                    absl::Span<const Baseline> baselines = {});
  Baseline AddStreams(const Case& what, Measurement& measured,
                      absl::Span<const Baseline> baselines);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  // Ends a row.
  void AddRatios(const Baseline& row, absl::Span<const Baseline> baselines);

  std::unique_ptr<std::FILE, CloseFile> json_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_REPORT_H_
