// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_SHAPE_H_
#define FERRY_CODEGEN_SHAPE_H_

#include <google/protobuf/descriptor.h>

#include <string>

namespace ferry::codegen {

// What decides how a method is declared; see ferry::CallShape.
enum class Shape { kUnary, kServerStream, kClientStream, kTwoWayStream, kOneWay };

// Of a method that CheckShape finds nothing wrong with.
Shape ShapeOf(const google::protobuf::MethodDescriptor& method);

// "ServerStream": of kServerStream, CallServerStream and ServeServerStream in rpc/.
std::string ShapeName(Shape shape);

// Returns what is wrong, or "".
std::string CheckShape(const google::protobuf::MethodDescriptor& method);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_SHAPE_H_
