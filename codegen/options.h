// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_OPTIONS_H_
#define FERRY_CODEGEN_OPTIONS_H_

#include <string>

namespace ferry::codegen {

// What --ferry_opt says.
struct Options {
  // The namespace, inside the package's, that the generated classes are in; "": the
  // package's own.
  std::string services_namespace;

  // Writes NAME.ferry_mock.h, too.
  bool generate_mocks = false;
};

// Reads "NAME=VALUE,NAME=VALUE". Returns what is wrong, or "".
std::string ParseOptions(const std::string& parameter, Options& options);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_OPTIONS_H_
