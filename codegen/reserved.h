// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_RESERVED_H_
#define FERRY_CODEGEN_RESERVED_H_

#include <string>

namespace ferry::codegen {

// `name` as a C++ identifier: with '_' appended if it is a keyword of any C++ from 98
// to 26, or a macro that generated headers bring along. What a method is called does not
// depend on the C++ that the code is compiled as, or on the protobuf release.
std::string Escaped(const std::string& name);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_RESERVED_H_
