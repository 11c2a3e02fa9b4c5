// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: programs for calls on a channel, and for the server of it.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/call_play.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferry::test::PlayCalls({reinterpret_cast<const char*>(data), size});
  return 0;
}
