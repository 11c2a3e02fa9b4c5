// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_MODEL_SCENARIOS_H_
#define FERRY_TESTS_MODEL_SCENARIOS_H_

#include "tests/model/scenario.h"

namespace ferry::model {

// Slots, units, release_every, then what P1, P2 and P3 send. The first are for a quick
// check, too.
inline constexpr Scenario kScenarios[] = {
    {"1 slot", 1, 1, 1, {"11", "1", ""}},
    {"2 slots, lazy", 2, 2, 2, {"11", "11", ""}},
    {"2 units at once", 2, 2, 2, {"12", "1", ""}},
    {"3 units, 2 at once", 2, 3, 2, {"221", "", ""}},
    {"both ways", 1, 1, 1, {"11", "", "1"}},
    {"both ways, 2 slots, lazy", 2, 2, 2, {"11", "", "11"}},
    {"A is killed", 2, 2, 1, {"11", "", ""}, true},
    {"A is killed, 2 units", 2, 3, 1, {"221", "", ""}, true},
    {"A is killed, both ways", 1, 1, 1, {"1", "", "1"}, true},

    {"1 slot, 4 messages", 1, 1, 1, {"11", "11", ""}},
    {"1 slot, 3 of one thread", 1, 1, 1, {"111", "1", ""}},
    {"2 slots, eager", 2, 2, 1, {"111", "11", ""}},
    {"3 slots, eager", 3, 3, 1, {"111", "11", ""}},
    {"3 slots, lazy by 2", 3, 3, 2, {"111", "11", ""}},
    {"3 slots, lazy by 3", 3, 3, 3, {"111", "11", ""}},
    {"2 units, eager", 2, 2, 1, {"21", "12", ""}},
    {"3 units, eager", 2, 3, 1, {"221", "1", ""}},
    {"4 units, lazy", 3, 4, 2, {"212", "12", ""}},
    {"both ways, 2 producers", 1, 1, 1, {"1", "1", "1"}},
    {"both ways, 2 producers, more", 1, 1, 1, {"11", "1", "1"}},
    {"both ways, 1 slot", 1, 1, 1, {"11", "", "11"}},
    {"both ways, 2 units", 2, 2, 2, {"12", "", "21"}},
    {"A is killed, 1 slot", 1, 1, 1, {"11", "11", ""}, true},
    {"A is killed, 2 slots, lazy", 2, 2, 2, {"11", "11", ""}, true},
    {"A is killed, 3 slots, lazy", 3, 3, 2, {"11", "11", ""}, true},
    {"A is killed, 2 producers", 2, 3, 1, {"221", "1", ""}, true},
    {"A is killed, both full", 1, 1, 1, {"11", "", "11"}, true},
};
inline constexpr int kQuickScenarios = 9;

constexpr bool AllFit() {
  for (const Scenario& scenario : kScenarios) {
    if (!scenario.Fits()) return false;
  }
  return true;
}
static_assert(AllFit());

// Each mutation has to fail in one of these.
inline constexpr Scenario kMutationScenarios[] = {kScenarios[6], kScenarios[3], kScenarios[2],
                                                  kScenarios[0]};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_SCENARIOS_H_
