// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: programs for a client of a session that serves.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/served_play.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferry::test::PlayServed({reinterpret_cast<const char*>(data), size});
  return 0;
}
