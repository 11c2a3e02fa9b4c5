// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/parameter_value.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ferry/transport/internal/byte_size.h"

namespace ferry::internal {

using Kind = Parameter::Kind;

namespace {

constexpr char kInfinite[] = "inf";

template <typename T>
bool IsWithin(const std::optional<T>& value, const std::optional<T>& lowest,
              const std::optional<T>& highest) {
  return value.has_value() && *value >= *lowest && *value <= *highest;
}

}  // namespace

std::optional<absl::Duration> ParseDurationValue(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) return std::nullopt;
  return duration;
}

std::optional<uint64_t> ParseNumberValue(Kind kind, const std::string& text) {
  if (text == kInfinite) return std::numeric_limits<uint64_t>::max();
  if (kind == Kind::kSize) return ParseByteSize(text);
  uint64_t count;
  bool is_count = !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
                  absl::SimpleAtoi(text, &count);
  if (!is_count) return std::nullopt;
  return count;
}

std::optional<bool> ParseFlagValue(const std::string& text) {
  if (text == "0" || text == "false") return false;
  if (text == "1" || text == "true") return true;
  return std::nullopt;
}

bool Takes(const Parameter& parameter, const std::string& text) {
  switch (parameter.kind) {
    case Kind::kText:
      return true;
    case Kind::kVariable:
      return text.find('=') != text.npos && text[0] != '=';
    case Kind::kChoice: {
      std::vector<std::string> choices = absl::StrSplit(parameter.choices, '|');
      return std::find(choices.begin(), choices.end(), text) != choices.end();
    }
    case Kind::kDuration:
      return IsWithin(ParseDurationValue(text), ParseDurationValue(parameter.lowest),
                      ParseDurationValue(parameter.highest));
    case Kind::kSize:
    case Kind::kCount:
      return IsWithin(ParseNumberValue(parameter.kind, text),
                      ParseNumberValue(parameter.kind, parameter.lowest),
                      ParseNumberValue(parameter.kind, parameter.highest));
    case Kind::kFlag:
      return ParseFlagValue(text).has_value();
  }
  return false;
}

namespace {

std::string Alternatives(const char* choices) {
  std::vector<std::string> words = absl::StrSplit(choices, '|');
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
  }
  return text;
}

// ", at least 1ms, at most 10s, or inf"
std::string LimitsOf(const Parameter& parameter) {
  const std::string lowest = parameter.lowest, highest = parameter.highest;
  std::string text;
  if (parameter.kind == Kind::kCount || (lowest != "0" && lowest != "1")) {
    absl::StrAppend(&text, ", at least ", lowest);
  }
  if (highest == kInfinite) return text + ", or inf";
  absl::StrAppend(&text, ", at most ", highest);
  if (parameter.kind == Kind::kDuration && lowest == "0") absl::StrAppend(&text, ", or 0");
  return text;
}

// One that is neither nothing nor without end: the standard value, if it is such.
std::string ExampleOf(const Parameter& parameter, const char* otherwise) {
  const std::string standard = parameter.standard;
  return standard == "0" || standard == kInfinite ? otherwise : standard;
}

}  // namespace

std::string ExpectedOf(const Parameter& parameter) {
  switch (parameter.kind) {
    case Kind::kText:
      return "text";
    case Kind::kVariable:
      return "NAME=VALUE";
    case Kind::kChoice:
      return Alternatives(parameter.choices);
    case Kind::kDuration:
      return absl::StrCat("a duration such as ", ExampleOf(parameter, "5s"), LimitsOf(parameter));
    case Kind::kSize:
      return absl::StrCat("a size such as ", ExampleOf(parameter, "64KiB"), LimitsOf(parameter));
    case Kind::kCount:
      return absl::StrCat("a number such as ", ExampleOf(parameter, "16"), LimitsOf(parameter));
    case Kind::kFlag:
      return "0 or 1";
  }
  return "";
}

}  // namespace ferry::internal
