// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What generated code tells ferry about a method.

#ifndef FERRY_RPC_METHOD_H_
#define FERRY_RPC_METHOD_H_

#include <cstdint>
#include <string_view>

#include "ferry/proto/frame.h"

namespace ferry {

// How many messages go each way.
enum class CallShape : uint8_t {
  kUnary,
  kServerStream,
  kClientStream,
  kTwoWayStream,
  kOneWay,  // (ferry.one_way): nobody waits for the outcome
};

constexpr bool TakesStream(CallShape shape) {
  return shape == CallShape::kClientStream || shape == CallShape::kTwoWayStream;
}
constexpr bool ReturnsStream(CallShape shape) {
  return shape == CallShape::kServerStream || shape == CallShape::kTwoWayStream;
}

enum class Execution : uint8_t {
  kInline,    // the handler runs on the thread that reads the connection
  kBlocking,  // (ferry.blocking): the handler may wait, so somebody else reads on
};

// A constant of generated code; valid for the life of the program.
struct Method {
  constexpr Method(std::string_view name, CallShape messages, Execution run)
      : full_name(name), id(MethodId(name)), shape(messages), execution(run) {}

  std::string_view full_name;  // "package.Service/Method"
  uint64_t id;                 // what travels
  CallShape shape;
  Execution execution;
};

}  // namespace ferry

#endif  // FERRY_RPC_METHOD_H_
