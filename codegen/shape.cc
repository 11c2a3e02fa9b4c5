// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/shape.h"

#include "ferry/proto/options.pb.h"

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

bool IsOneWay(const pb::MethodDescriptor& method) {
  return method.options().GetExtension(::ferry::one_way);
}

}  // namespace

Shape ShapeOf(const pb::MethodDescriptor& method) {
  if (method.client_streaming()) {
    return method.server_streaming() ? Shape::kTwoWayStream : Shape::kClientStream;
  }
  if (method.server_streaming()) return Shape::kServerStream;
  return IsOneWay(method) ? Shape::kOneWay : Shape::kUnary;
}

std::string ShapeName(Shape shape) {
  return std::string(
      ByShape(shape, {"Unary", "ServerStream", "ClientStream", "TwoWayStream", "OneWay"}));
}

std::string CheckShape(const pb::MethodDescriptor& method) {
  if (!IsOneWay(method)) return "";
  if (!method.client_streaming() && !method.server_streaming()) return "";
  return std::string(method.full_name()) +
         ": a one-way method has no streams; remove \"stream\", or the option (ferry.one_way)";
}

}  // namespace ferry::codegen
