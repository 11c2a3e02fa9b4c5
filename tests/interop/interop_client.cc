// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// interop_client ADDRESS [CASE…]: runs the interop cases named, or all, against a server.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "calls.h"
#include "cases.h"

ABSL_FLAG(bool, list, false, "print the names of the cases, one a line, and run none");

namespace ferry::interop {
namespace {

constexpr char kUsage[] = "runs the interop cases named, or all: interop_client ADDRESS [CASE…]";

std::vector<Case> AllCases() {
  std::vector<Case> all;
  for (const auto& topic :
       {UnaryCases(), StreamCases(), MetadataCases(), EndCases(), LoadCases()}) {
    all.insert(all.end(), topic.begin(), topic.end());
  }
  return all;
}

// Returns: INVALID_ARGUMENT, with the names that there are.
absl::StatusOr<std::vector<Case>> CasesNamed(const std::vector<std::string>& names) {
  const std::vector<Case> all = AllCases();
  if (names.empty()) return all;
  std::vector<Case> chosen;
  for (const std::string& name : names) {
    const size_t before = chosen.size();
    for (const Case& each : all) {
      if (each.name == name) chosen.push_back(each);
    }
    if (chosen.size() > before) continue;
    std::string known;
    for (const Case& each : all) absl::StrAppend(&known, known.empty() ? "" : ", ", each.name);
    return absl::InvalidArgumentError(absl::StrCat("unknown case '", name, "'; there are ", known));
  }
  return chosen;
}

// Returns what was not as expected, or "". Each case has a channel of its own, which is to be
// as good as new afterwards.
std::string ProblemOf(const Case& the_case, const std::string& address) {
  absl::StatusOr<Channel> channel = ConnectTo(address);
  if (!channel.ok()) {
    return absl::StrCat("Connect: expected OK, got ", channel.status().ToString());
  }
  CaseRun run(address, *std::move(channel));
  the_case.run(run);
  run.ExpectOk("EmptyCall afterwards", run.stub().EmptyCall(Empty()).status());
  return run.problem();
}

// Returns whether it passed.
bool Run(const Case& the_case, const std::string& address) {
  const std::string problem = ProblemOf(the_case, address);
  if (problem.empty()) {
    std::printf("passed %s\n", the_case.name);
  } else {
    std::printf("FAILED %s: %s\n", the_case.name, problem.c_str());
  }
  std::fflush(stdout);
  return problem.empty();
}

int Main(const std::vector<std::string>& args) {
  if (absl::GetFlag(FLAGS_list)) {
    for (const Case& each : AllCases()) std::puts(each.name);
    return 0;
  }
  if (args.empty()) return std::fprintf(stderr, "%s\n", kUsage), 2;
  const absl::StatusOr<std::vector<Case>> cases = CasesNamed({args.begin() + 1, args.end()});
  if (!cases.ok()) return std::fprintf(stderr, "%s\n", cases.status().ToString().c_str()), 2;
  bool all_passed = true;
  for (const Case& each : *cases) all_passed = Run(each, args.front()) && all_passed;
  return all_passed ? 0 : 1;
}

}  // namespace
}  // namespace ferry::interop

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(ferry::interop::kUsage);
  const std::vector<char*> args = absl::ParseCommandLine(argc, argv);
  return ferry::interop::Main({args.begin() + 1, args.end()});
}
