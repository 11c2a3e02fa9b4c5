// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/cpu_limit.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

// Of a process that is in a cgroup of version 2; else "".
std::string OwnCgroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    absl::string_view path = line;
    if (absl::ConsumePrefix(&path, "0::")) return std::string(path);
  }
  return "";
}

}  // namespace

int CpuLimitOf(const std::string& root, std::string cgroup, int running) {
  double limit = running;
  for (;;) {
    // "max 100000", or how many microseconds in each so many.
    std::ifstream file(root + cgroup + "/cpu.max");
    double quota, period;
    if (file >> quota >> period && period > 0) limit = std::min(limit, quota / period);
    size_t slash = cgroup.rfind('/');
    if (slash == cgroup.npos) break;
    cgroup.resize(slash);
  }
  return std::max(1, static_cast<int>(limit));
}

int CpuLimit() {
  static const int limit = CpuLimitOf("/sys/fs/cgroup", OwnCgroup(), sys::RunningCpus());
  return limit;
}

}  // namespace ferry::internal
