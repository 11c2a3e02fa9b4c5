// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_STREAM_DIRECTION_H_
#define FERRY_BENCH_STREAM_DIRECTION_H_

#include <cstdint>

namespace ferry::bench {

enum class StreamDirection : uint8_t {
  kDown,  // to this process, as a server stream goes to the client
  kUp,    // from it
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_STREAM_DIRECTION_H_
