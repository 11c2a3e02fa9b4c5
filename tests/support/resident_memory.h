// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_SUPPORT_RESIDENT_MEMORY_H_
#define FERRY_TESTS_SUPPORT_RESIDENT_MEMORY_H_

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstddef>
#include <fstream>
#include <string>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"

namespace ferry::test {

// Of a process, in bytes; always 0 where a sanitizer's own memory would count along.
inline size_t ResidentMemory(pid_t pid) {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
  (void)pid;
  return 0;
#else
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    size_t kib = 0;
    EXPECT_TRUE(status >> kib);
    return kib * 1024;
  }
  ADD_FAILURE() << "no VmRSS of process " << pid;
  return 0;
#endif
}

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_RESIDENT_MEMORY_H_
