// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_MODEL_SCENARIOS_H_
#define FERRY_TESTS_MODEL_SCENARIOS_H_

#include "tests/model/scenario.h"

namespace ferry::model {

// Slots, units, release_every, then what P1, P2 and P3 send. The first are for a quick
// check, too.
inline constexpr Scenario kScenarios[] = {
    {"A is killed", 2, 2, 1, {"11", "", ""}, Scenario::kKillA},
    {"3 units, 2 at once", 2, 3, 2, {"221", "", ""}},
    {"abandoned", 2, 3, 1, {"1b1", "", ""}},
    {"no flush", 2, 3, 2, {"221", "", ""}, Scenario::kNoFlush},
    {"A is killed, 2 units", 2, 3, 1, {"221", "", ""}, Scenario::kKillA},
    {"A is killed, both ways", 1, 1, 1, {"1", "", "1"}, Scenario::kKillA},
    {"indices wrap", 2, 3, 2, {"121", "", ""}, Scenario::kLateStart},
    {"long and short", 2, 3, 2, {"22", "1", ""}, Scenario::kNoFlush},

    {"abandoned, 1 slot", 1, 1, 1, {"0a", "0", ""}},
    {"2 units at once", 2, 3, 2, {"12", "1", ""}},
    {"backlog first", 1, 1, 1, {"1", "1", "1"}, Scenario::kBacklogFirst},
    {"both ways, lazy", 2, 2, 2, {"11", "", "11"}},
    {"1 slot", 1, 1, 1, {"11", "1", ""}},
    {"1 slot, 3 of one thread", 1, 1, 1, {"000", "0", ""}, Scenario::kNoFlush},
    {"no units", 2, 1, 2, {"00", "0", ""}},
    {"2 slots, eager", 2, 2, 1, {"11", "1", ""}},
    {"1 slot, 3 messages, no flush", 1, 1, 1, {"11", "1", ""}, Scenario::kNoFlush},
    {"2 slots, lazy", 2, 2, 2, {"11", "11", ""}, Scenario::kNoFlush},
    {"3 slots, lazy by 3", 3, 3, 3, {"11", "11", ""}, Scenario::kNoFlush},
    {"3 units, eager", 2, 3, 1, {"221", "1", ""}, Scenario::kNoFlush},
    {"4 units, lazy", 3, 4, 2, {"212", "1", ""}},
    {"abandoned, 2 producers", 2, 3, 2, {"b1", "b", ""}},
    {"abandoned, a whole lap", 2, 1, 2, {"aa0", "0", ""}},
    {"indices wrap, 2 producers", 2, 3, 1, {"12", "1", ""}, Scenario::kLateStart},
    {"indices wrap, 1 slot", 1, 1, 1, {"01", "1", ""}, Scenario::kLateStart},
    {"both ways, eager", 1, 1, 1, {"11", "", "1"}},
    {"both ways, 1 slot", 1, 1, 1, {"11", "", "11"}, Scenario::kNoFlush},
    {"both ways, 2 units", 2, 3, 2, {"12", "", "21"}},
    {"both ways, 2 producers", 1, 1, 1, {"1", "1", "1"}, Scenario::kNoFlush},
    {"both ways, abandoned", 2, 3, 1, {"1b", "", "b1"}},
    {"A is killed, 1 slot", 1, 1, 1, {"11", "1", ""}, Scenario::kKillA},
    {"A is killed, 3 slots, lazy", 3, 3, 2, {"11", "1", ""}, Scenario::kKillA},
    {"A is killed, 2 producers", 2, 3, 1, {"12", "1", ""}, Scenario::kKillA | Scenario::kNoFlush},
    {"A is killed, abandoned", 2, 3, 2, {"1b1", "", ""}, Scenario::kKillA},
    {"A is killed, both full", 1, 1, 1, {"11", "", "1"}, Scenario::kKillA | Scenario::kNoFlush},
};
inline constexpr int kQuickScenarios = 8;

constexpr bool AllFit() {
  for (const Scenario& scenario : kScenarios) {
    if (!scenario.Fits()) return false;
  }
  return true;
}
static_assert(AllFit());

// Each mutation has to fail in one of these.
inline constexpr Scenario kMutationScenarios[] = {
    kScenarios[0],
    kScenarios[1],
    kScenarios[2],
    kScenarios[3],
    kScenarios[8],
    kScenarios[9],
    {"1 slot, 2 senders", 1, 1, 1, {"11", "1", ""}, Scenario::kNoFlush},
    kScenarios[7],
    {"1 slot, no units", 1, 1, 1, {"000", "0", ""}, Scenario::kNoFlush},
};
// What is no mistake has to hold in these.
inline constexpr Scenario kHarmlessScenarios[] = {kScenarios[7], kScenarios[9], kScenarios[10]};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_SCENARIOS_H_
