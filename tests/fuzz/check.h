// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_CHECK_H_
#define FERRY_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace ferry::test {

// Ends the program, which a fuzzer takes for a find, unless that holds.
inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_CHECK_H_
