// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Checks the protocol of the shared-memory rings in all interleavings of small scenarios,
// and that the check finds each of a list of mistakes.
//
//   ring_model                 all scenarios and mutations; exit 1 if one is not as it should be
//   ring_model --quick         the small scenarios, and the mistakes that fail in such
//   ring_model --trace=NAME    how the mutation NAME fails, step by step
//
// In a scenario, A and B are the processes; P1 and P2 send in A, P3 in B. "221" sends three
// messages, with bodies of two units, two and one.
//
// The processor is x86: arm64, which reorders more, is not covered.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/model/explorer.h"
#include "tests/model/ring_model.h"
#include "tests/model/ring_trace.h"
#include "tests/model/scenarios.h"

namespace ferry::model {
namespace {

using Result = Explorer<RingModel>::Result;

const char* NameOf(Verdict verdict) {
  constexpr const char* kNames[] = {"holds", "BROKEN", "STUCK", "CIRCLES"};
  return kNames[static_cast<int>(verdict)];
}

std::string SendsOf(const Scenario& scenario) {
  std::string text;
  for (std::string_view sends : scenario.sends) {
    text.append(sends.empty() ? "-" : sends).append(" ");
  }
  return text;
}

Result FindShortest(const Scenario& scenario, Mutation mutation) {
  RingModel model(scenario, mutation, false);
  return Explorer<RingModel>(model).FindShortest();
}

bool CheckProtocol(int scenarios) {
  std::printf("%-29s %5s %5s %5s  %-13s %9s %11s  %s\n", "protocol", "slots", "units", "every",
              "P1, P2, P3", "states", "transitions", "result");
  bool holds = true;
  uint64_t states = 0;
  for (int i = 0; i < scenarios; ++i) {
    const Scenario& scenario = kScenarios[i];
    RingModel model(scenario, Mutation::kNone, true);
    Result result = Explorer<RingModel>(model).SearchAll();
    std::printf("%-29s %5d %5d %5d  %-13s %9llu %11llu  %s\n", scenario.name, scenario.slots,
                scenario.units, scenario.release_every, SendsOf(scenario).c_str(),
                static_cast<unsigned long long>(result.states),
                static_cast<unsigned long long>(result.transitions), NameOf(result.verdict));
    std::fflush(stdout);
    states += result.states;
    if (result.verdict == Verdict::kHolds) continue;
    holds = false;
    if (result.verdict != Verdict::kCircles) result = FindShortest(scenario, Mutation::kNone);
    std::printf("%s", DescribeTrace(scenario, Mutation::kNone, result.trace).c_str());
  }
  std::printf("%llu states\n\n", static_cast<unsigned long long>(states));
  return holds;
}

// Says in how many steps it is caught, or, traced, in which.
bool CheckMutation(const NamedMutation& mutation, bool traced) {
  for (const Scenario& scenario : kMutationScenarios) {
    Result result = FindShortest(scenario, mutation.mutation);
    if (result.verdict == Verdict::kHolds) continue;
    std::printf("%-24s %-50s %-7s %3zu steps  %s\n", mutation.name, mutation.what,
                NameOf(result.verdict), result.trace.size() - 1, scenario.name);
    if (traced) {
      std::printf("%s", DescribeTrace(scenario, mutation.mutation, result.trace).c_str());
    }
    return true;
  }
  std::printf("%-24s %-50s SURVIVES\n", mutation.name, mutation.what);
  return false;
}

// Says in how many states.
bool CheckHarmless(const NamedMutation& mutation) {
  uint64_t states = 0;
  bool holds = true;
  for (const Scenario& scenario : kHarmlessScenarios) {
    RingModel model(scenario, mutation.mutation, true);
    Result result = Explorer<RingModel>(model).SearchAll();
    states += result.states;
    holds = holds && result.verdict == Verdict::kHolds;
  }
  std::printf("%-24s %-50s %s  in %llu states\n", mutation.name, mutation.what,
              holds ? "holds" : "FAILS", static_cast<unsigned long long>(states));
  return holds;
}

int Trace(const char* name) {
  for (const NamedMutation& mutation : kMutations) {
    if (std::strcmp(mutation.name, name) == 0) return CheckMutation(mutation, true) ? 0 : 1;
  }
  std::fprintf(stderr, "ring_model: no mutation '%s'\n", name);
  return 2;
}

bool CheckMutations() {
  bool good = true;
  std::printf("%-24s %-50s caught\n", "mutation", "");
  for (const NamedMutation& mutation : kMutations) good = CheckMutation(mutation, false) && good;
  std::printf("\n%-24s %-50s holds\n", "no mistake", "");
  for (const NamedMutation& mutation : kHarmlessMutations) good = CheckHarmless(mutation) && good;
  return good;
}

int CheckAll() {
  auto start = std::chrono::steady_clock::now();
  bool good = CheckProtocol(static_cast<int>(std::size(kScenarios)));
  good = CheckMutations() && good;
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("\n%s in %.1f s\n", good ? "all as it should be" : "FAILED", took.count());
  return good ? 0 : 1;
}

// Only what a single sender can find.
int CheckQuickly() {
  bool good = CheckProtocol(kQuickScenarios);
  std::printf("%-24s %-50s caught\n", "mutation", "");
  for (const NamedMutation& mutation : kMutations) {
    if (!mutation.needs_two_senders) good = CheckMutation(mutation, false) && good;
  }
  return good ? 0 : 1;
}

int Main(int argc, char** argv) {
  constexpr char kTrace[] = "--trace=";
  std::string argument = argc > 1 ? argv[1] : "";
  if (argc == 1) return CheckAll();
  if (argc == 2 && argument == "--quick") return CheckQuickly();
  if (argc == 2 && argument.rfind(kTrace, 0) == 0) return Trace(argv[1] + std::strlen(kTrace));
  std::fprintf(stderr, "usage: ring_model [--quick | --trace=MUTATION]\n");
  return 2;
}

}  // namespace
}  // namespace ferry::model

int main(int argc, char** argv) { return ferry::model::Main(argc, argv); }
