// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_AWAIT_END_H_
#define FERRY_TESTS_RPC_AWAIT_END_H_

#include "ferry/transport/transport.h"

namespace ferry::test {

// Passes by all that arrives until the transport is closed.
inline void AwaitEnd(Transport& transport) {
  Frame frame;
  for (;;) {
    ReadResult result = transport.TryRead(frame);
    if (result == ReadResult::kClosed) return;
    if (result == ReadResult::kFrame) {
      transport.Release();
    } else {
      transport.Wait({});
    }
  }
}

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_AWAIT_END_H_
