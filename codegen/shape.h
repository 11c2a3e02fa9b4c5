// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_SHAPE_H_
#define FERRY_CODEGEN_SHAPE_H_

#include <google/protobuf/descriptor.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace ferry::codegen {

// What decides how a method is declared; see ferry::CallShape.
enum class Shape { kUnary, kServerStream, kClientStream, kTwoWayStream, kOneWay };

// The one of these texts, which are in the order of the shapes.
inline std::string_view ByShape(Shape shape, const std::array<std::string_view, 5>& texts) {
  return texts[static_cast<size_t>(shape)];
}

// Of a method that CheckShape finds nothing wrong with.
Shape ShapeOf(const google::protobuf::MethodDescriptor& method);

// "ServerStream": of kServerStream, CallServerStream and ServeServerStream in rpc/.
std::string ShapeName(Shape shape);

// Returns what is wrong, or "".
std::string CheckShape(const google::protobuf::MethodDescriptor& method);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_SHAPE_H_
