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

}  // namespace

std::string ParseOptions(const std::string& parameter, Options& options) {
  std::vector<std::pair<std::string, std::string>> given;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &given);
  for (const auto& [name, value] : given) {
    if (name != kServicesNamespace) {
      return Joined({"unknown option \"", name, "\"; there is: ", kServicesNamespace, "=NAME"});
    }
    if (!IsIdentifier(value)) {
      return Joined(
          {name, "=\"", value, "\": expected the name of a C++ namespace, such as \"rpc\""});
    }
    if (!options.services_namespace.empty()) {
      return Joined({name, " is given twice, as \"", options.services_namespace, "\" and as \"",
                     value, "\""});
    }
    options.services_namespace = value;
  }
  return "";
}

}  // namespace ferry::codegen
