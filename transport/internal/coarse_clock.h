// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_COARSE_CLOCK_H_
#define FERRY_TRANSPORT_INTERNAL_COARSE_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace ferry::internal {

// Milliseconds on a clock that only the timer interrupt moves, so up to 10 ms late: it costs
// a load where the exact one computes (clock_getres(2), CLOCK_MONOTONIC_COARSE).
inline int64_t CoarseMilliseconds() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_COARSE_CLOCK_H_
