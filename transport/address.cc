// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/address.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ferry {
namespace {

template <typename... Args>
absl::Status BadAddress(absl::string_view text, const Args&... what) {
  return absl::InvalidArgumentError(absl::StrCat("address '", text, "': ", what...));
}

// Undoes %XX.
absl::StatusOr<std::string> Decode(absl::string_view text, absl::string_view encoded) {
  std::string decoded;
  while (!encoded.empty()) {
    size_t plain = std::min(encoded.find('%'), encoded.size());
    absl::StrAppend(&decoded, encoded.substr(0, plain));
    encoded.remove_prefix(plain);
    if (encoded.empty()) break;
    if (encoded.size() < 3 || !absl::ascii_isxdigit(static_cast<unsigned char>(encoded[1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(encoded[2]))) {
      return BadAddress(text, "'", encoded.substr(0, 3),
                        "' is not % and two hexadecimal digits; a % itself is written %25");
    }
    decoded.append(absl::HexStringToBytes(encoded.substr(1, 2)));
    encoded.remove_prefix(3);
  }
  return decoded;
}

absl::Status ParseParameters(absl::string_view text, absl::string_view query, Address& address) {
  for (absl::string_view parameter : absl::StrSplit(query, '&')) {
    std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    if (pair.first.empty() || !absl::StrContains(parameter, '=')) {
      return BadAddress(text, "parameter '", parameter, "' is not of the form NAME=VALUE");
    }
    absl::StatusOr<std::string> value = Decode(text, pair.second);
    if (!value.ok()) return value.status();
    address.parameters.emplace_back(pair.first, *std::move(value));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Address> Address::Parse(std::string_view given) {
  Address address;
  address.text = std::string(given);
  absl::string_view text = address.text;
  size_t colon = text.find(':');
  if (colon == text.npos || colon == 0) {
    return BadAddress(text, "expected SCHEME:BODY, such as exec:PROGRAM");
  }
  address.scheme = std::string(text.substr(0, colon));
  absl::string_view body = text.substr(colon + 1);
  size_t question = body.find('?');
  if (question != body.npos) {
    absl::Status parsed = ParseParameters(text, body.substr(question + 1), address);
    if (!parsed.ok()) return parsed;
    body = body.substr(0, question);
  }
  for (absl::string_view word : absl::StrSplit(body, ' ', absl::SkipEmpty())) {
    absl::StatusOr<std::string> decoded = Decode(text, word);
    if (!decoded.ok()) return decoded.status();
    address.words.push_back(*std::move(decoded));
  }
  return address;
}

const std::string* Address::Find(const char* name) const {
  auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                            [&](const auto& parameter) { return parameter.first == name; });
  return found == parameters.rend() ? nullptr : &found->second;
}

absl::Status Address::CheckParameters(absl::Span<const char* const> known) const {
  for (const auto& [name, value] : parameters) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return BadAddress(text, "unknown parameter '", name, "'; ", scheme, ": has ",
                      known.empty() ? "none" : absl::StrJoin(known, ", "));
  }
  return absl::OkStatus();
}

absl::Status BadParameter(const Address& address, const char* name, const std::string& value,
                          const char* expected) {
  return BadAddress(address.text, name, "='", value, "', expected ", expected);
}

}  // namespace ferry
