// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The cases, by topic.

#ifndef FERRY_TESTS_INTEROP_CASES_H_
#define FERRY_TESTS_INTEROP_CASES_H_

#include <vector>

#include "case_run.h"

namespace ferry::interop {

struct Case {
  const char* name;
  void (*run)(CaseRun& run);
};

std::vector<Case> UnaryCases();
std::vector<Case> StreamCases();
std::vector<Case> MetadataCases();
std::vector<Case> EndCases();   // statuses, cancellation, timeouts
std::vector<Case> LoadCases();  // many calls, and slow ends

}  // namespace ferry::interop

#endif  // FERRY_TESTS_INTEROP_CASES_H_
