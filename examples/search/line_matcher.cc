// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "line_matcher.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_split.h"

namespace search {

absl::StatusOr<LineMatcher> LineMatcher::Create(const std::string& pattern, bool fixed) {
  LineMatcher matcher;
  std::vector<std::string> parts = absl::StrSplit(pattern, '\n');
  if (fixed) {
    matcher.texts_ = std::move(parts);
    return matcher;
  }
  for (const std::string& part : parts) {
    auto regex = std::make_unique<regex_t>();
    if (int error = regcomp(regex.get(), part.c_str(), REG_NOSUB); error != 0) {
      char text[256];
      regerror(error, regex.get(), text, sizeof(text));
      return absl::InvalidArgumentError(text);
    }
    matcher.regexes_.emplace_back(regex.release());
  }
  return matcher;
}

bool LineMatcher::Matches(const char* line) const {
  return std::any_of(texts_.begin(), texts_.end(),
                     [line](const auto& text) { return std::strstr(line, text.c_str()); }) ||
         std::any_of(regexes_.begin(), regexes_.end(), [line](const auto& regex) {
           return regexec(regex.get(), line, 0, nullptr, 0) == 0;
         });
}

void LineMatcher::Free::operator()(regex_t* regex) const {
  regfree(regex);
  delete regex;
}

}  // namespace search
