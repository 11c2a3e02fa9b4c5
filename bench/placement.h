// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_PLACEMENT_H_
#define FERRY_BENCH_PLACEMENT_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ferry::bench {

// The placements to measure when `wanted` is asked for, or with "" those that this machine
// has. Before the first Place: it pins this process.
std::vector<std::string> Placements(const std::string& wanted);

// Puts this process and its children where `placement` says: one-cpu, two-cpus or free.
absl::Status Place(const std::string& placement, const std::vector<pid_t>& children);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_PLACEMENT_H_
