// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_MODEL_RING_TRACE_H_
#define FERRY_TESTS_MODEL_RING_TRACE_H_

#include <string>
#include <vector>

#include "tests/model/ring_model.h"

namespace ferry::model {

// What happened, one step per line, and what it came to.
std::string DescribeTrace(const Scenario& scenario, Mutation mutation,
                          const std::vector<RingState>& trace);

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_RING_TRACE_H_
