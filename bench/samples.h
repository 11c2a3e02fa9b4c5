// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SAMPLES_H_
#define FERRY_BENCH_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferry::bench {

// How long each round trip took, in nanoseconds. Short ones are counted rather than
// stored: between round trips of a fraction of a microsecond, new memory would be felt.
class Samples {
 public:
  void Add(int64_t nanoseconds) {
    ++size_;
    total_ += nanoseconds;
    if (nanoseconds < kShort) {
      ++short_[static_cast<size_t>(nanoseconds)];
      return;
    }
    sorted_ = false;
    long_.push_back(nanoseconds);
  }
  void AddAll(const Samples& other);

  size_t size() const { return size_; }
  int64_t Total() const { return total_; }

  // The smallest value that `share` of all values do not exceed; 0 without any.
  int64_t Percentile(double share);

 private:
  static constexpr int64_t kShort = 1 << 15;

  size_t size_ = 0;
  int64_t total_ = 0;
  std::vector<uint32_t> short_ = std::vector<uint32_t>(kShort);  // how many took as long
  std::vector<int64_t> long_;
  bool sorted_ = true;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SAMPLES_H_
