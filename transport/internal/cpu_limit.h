// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_CPU_LIMIT_H_
#define FERRY_TRANSPORT_INTERNAL_CPU_LIMIT_H_

#include <string>

namespace ferry::internal {

// How many CPUs this process can keep busy at once: those that run, or fewer if a cgroup
// (v2) has a quota, rounded down, since who has used it up stands still for long. At
// least 1. Found out once. Any thread.
int CpuLimit();

// The same for a folder in place of /sys/fs/cgroup, the cgroup's path below it, and as
// many CPUs as run.
int CpuLimitOf(const std::string& root, std::string cgroup, int running);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_CPU_LIMIT_H_
