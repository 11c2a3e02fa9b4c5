// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "samples.h"

#include <algorithm>
#include <cmath>

namespace ferry::bench {

void Samples::AddAll(const Samples& other) {
  size_ += other.size_;
  total_ += other.total_;
  for (size_t i = 0; i < short_.size(); ++i) short_[i] += other.short_[i];
  long_.insert(long_.end(), other.long_.begin(), other.long_.end());
  sorted_ = false;
}

int64_t Samples::Percentile(double share) {
  if (size_ == 0) return 0;
  double exact_rank = std::ceil(share * static_cast<double>(size_));
  size_t rank = std::max(static_cast<size_t>(exact_rank), size_t{1});
  for (size_t i = 0; i < short_.size(); ++i) {
    if (rank <= short_[i]) return static_cast<int64_t>(i);
    rank -= short_[i];
  }
  if (!sorted_) std::sort(long_.begin(), long_.end());
  sorted_ = true;
  return long_[rank - 1];
}

}  // namespace ferry::bench
