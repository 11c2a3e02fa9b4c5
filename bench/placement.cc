// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "placement.h"

#include "absl/strings/str_cat.h"
#include "machine.h"

namespace ferry::bench {

std::vector<std::string> Placements(const std::string& wanted) {
  if (!wanted.empty()) return {wanted};
  if (UsableCpus().size() < 2) return {"one-cpu"};
  return {"one-cpu", "two-cpus"};
}

absl::Status Place(const std::string& placement, const std::vector<pid_t>& children) {
  static const std::vector<int> cpus = UsableCpus();
  if (placement == "free") return absl::OkStatus();
  bool apart = placement == "two-cpus";
  if (!apart && placement != "one-cpu") {
    return absl::InvalidArgumentError(
        absl::StrCat("--placement='", placement, "', expected one-cpu, two-cpus or free"));
  }
  if (apart && cpus.size() < 2)
    return absl::FailedPreconditionError("there is one usable CPU only");
  absl::Status status = PinProcess(0, cpus[0]);
  for (pid_t pid : children) {
    if (status.ok()) status = PinProcess(pid, cpus[apart ? 1 : 0]);
  }
  return status;
}

}  // namespace ferry::bench
