// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/address.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ferry {
namespace {

template <typename... Args>
absl::Status Bad(absl::string_view where, const Args&... what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what...));
}

// Undoes %XX.
absl::StatusOr<std::string> Decode(absl::string_view where, absl::string_view encoded) {
  std::string decoded;
  while (!encoded.empty()) {
    size_t plain = std::min(encoded.find('%'), encoded.size());
    absl::StrAppend(&decoded, encoded.substr(0, plain));
    encoded.remove_prefix(plain);
    if (encoded.empty()) break;
    if (encoded.size() < 3 || !absl::ascii_isxdigit(static_cast<unsigned char>(encoded[1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(encoded[2]))) {
      return Bad(where, "'", encoded.substr(0, 3),
                 "' is not % and two hexadecimal digits; a % itself is written %25");
    }
    decoded.append(absl::HexStringToBytes(encoded.substr(1, 2)));
    encoded.remove_prefix(3);
  }
  return decoded;
}

}  // namespace

bool HasScheme(std::string_view given) {
  return given.substr(0, given.find('?')).find(':') != given.npos;
}

absl::StatusOr<Address> Address::Parse(std::string_view given) {
  Address address;
  address.text = std::string(given);
  address.where = absl::StrCat("address '", address.text, "'");
  absl::string_view text = address.text;
  size_t colon = text.find(':');
  if (!HasScheme(given) || colon == 0) {
    return Bad(address.where, "expected SCHEME:BODY, such as exec:PROGRAM");
  }
  address.scheme = std::string(text.substr(0, colon));
  absl::string_view body = text.substr(colon + 1);
  size_t question = body.find('?');
  if (question != body.npos) {
    absl::Status added = address.AddParameters(
        std::string_view(body.data(), body.size()).substr(question + 1), address.where);
    if (!added.ok()) return added;
    body = body.substr(0, question);
  }
  for (absl::string_view word : absl::StrSplit(body, ' ', absl::SkipEmpty())) {
    absl::StatusOr<std::string> decoded = Decode(address.where, word);
    if (!decoded.ok()) return decoded.status();
    address.words.push_back(*std::move(decoded));
  }
  return address;
}

absl::Status Address::AddParameters(std::string_view query, const std::string& said_at) {
  for (absl::string_view parameter :
       absl::StrSplit(absl::string_view(query.data(), query.size()), '&')) {
    std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    if (pair.first.empty() || !absl::StrContains(parameter, '=')) {
      return Bad(said_at, "parameter '", parameter, "' is not of the form NAME=VALUE");
    }
    absl::StatusOr<std::string> value = Decode(said_at, pair.second);
    if (!value.ok()) return value.status();
    parameters.push_back({std::string(pair.first), *std::move(value), said_at});
  }
  return absl::OkStatus();
}

const AddressParameter* Address::Find(std::string_view name) const {
  auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                            [&](const auto& parameter) { return parameter.name == name; });
  return found == parameters.rend() ? nullptr : &*found;
}

}  // namespace ferry
