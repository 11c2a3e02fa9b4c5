// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SHARED_MEMORY_H_
#define FERRY_BENCH_SHARED_MEMORY_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "ferry/transport/internal/fd.h"

namespace ferry::bench {

// A file in memory, of zeros, to be given to a child.
absl::StatusOr<internal::UniqueFd> CreateSharedMemory(size_t size);

// Null if it fails. Populated: no page is first touched while something is timed.
void* MapSharedMemory(int file, size_t size);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SHARED_MEMORY_H_
