// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SAMPLES_H_
#define FERRY_BENCH_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferry::bench {

// How long each round trip took, in nanoseconds.
class Samples {
 public:
  void Add(int64_t nanoseconds) { sorted_ = false, values_.push_back(nanoseconds); }
  void AddAll(const Samples& other);

  size_t size() const { return values_.size(); }
  int64_t Total() const;

  // The smallest value that `share` of all values do not exceed; 0 without any.
  int64_t Percentile(double share);

 private:
  std::vector<int64_t> values_;
  bool sorted_ = true;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SAMPLES_H_
