// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_STUB_METHOD_H_
#define FERRY_CODEGEN_STUB_METHOD_H_

#include <string_view>

#include "codegen/shape.h"

namespace ferry::codegen {

// How the methods of a stub call one of that shape; with the holes of a method.
std::string_view StubMethodLayout(Shape shape);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_STUB_METHOD_H_
