// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ferry::bench {

void Samples::AddAll(const Samples& other) {
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  sorted_ = false;
}

int64_t Samples::Total() const {
  return std::accumulate(values_.begin(), values_.end(), int64_t{0});
}

int64_t Samples::Percentile(double share) {
  if (values_.empty()) return 0;
  if (!sorted_) std::sort(values_.begin(), values_.end());
  sorted_ = true;
  double rank = std::ceil(share * static_cast<double>(values_.size()));
  return values_[std::max(static_cast<size_t>(rank), size_t{1}) - 1];
}

}  // namespace ferry::bench
