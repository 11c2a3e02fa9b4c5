// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "codegen/reserved.h"

namespace ferry::codegen {
namespace {

constexpr char kServicesNamespace[] = "services_namespace";
constexpr char kGenerateMocks[] = "generate_mocks";

bool IsIdentifier(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kAll =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !text.empty() && text.find_first_not_of(kAll) == text.npos &&
         kDigits.find(text.front()) == kDigits.npos && Escaped(text) == text;
}

std::string Joined(std::initializer_list<std::string_view> pieces) {
  std::string text;
  for (std::string_view piece : pieces) text += piece;
  return text;
}

std::string ParseNamespace(const std::string& value, Options& options) {
  if (!IsIdentifier(value)) {
    return Joined({kServicesNamespace, "=\"", value,
                   "\": expected the name of a C++ namespace, such as \"rpc\""});
  }
  if (!options.services_namespace.empty()) {
    return Joined({kServicesNamespace, " is given twice, as \"", options.services_namespace,
                   "\" and as \"", value, "\""});
  }
  options.services_namespace = value;
  return "";
}

std::string ParseMocks(const std::string& value, Options& options) {
  if (value != "true" && value != "false") {
    return Joined({kGenerateMocks, "=\"", value, "\": expected true or false"});
  }
  options.generate_mocks = value == "true";
  return "";
}

}  // namespace

std::string ParseOptions(const std::string& parameter, Options& options) {
  std::vector<std::pair<std::string, std::string>> given;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &given);
  for (const auto& [name, value] : given) {
    std::string problem;
    if (name == kServicesNamespace) {
      problem = ParseNamespace(value, options);
    } else if (name == kGenerateMocks) {
      problem = ParseMocks(value, options);
    } else {
      problem = Joined({"unknown option \"", name, "\"; there are: ", kGenerateMocks, "=true, ",
                        kServicesNamespace, "=NAME"});
    }
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace ferry::codegen
