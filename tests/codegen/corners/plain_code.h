// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A user's code that is built with -fno-exceptions -fno-rtti, in a program that is not.

#ifndef FERRY_TESTS_CODEGEN_CORNERS_PLAIN_CODE_H_
#define FERRY_TESTS_CODEGEN_CORNERS_PLAIN_CODE_H_

#include <string>

namespace corner::plain {

// Serves and calls; returns "hello" or what went wrong.
std::string SaysHello();

}  // namespace corner::plain

#endif  // FERRY_TESTS_CODEGEN_CORNERS_PLAIN_CODE_H_
