// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Addresses: the strings that choose a transport.
//
//   SCHEME:BODY?PARAMETER=VALUE&PARAMETER=VALUE
//
// In body and values, %XX stands for the byte with that hexadecimal number; a body
// needs it for '?', '%' and, where they do not separate words, spaces. Parameters may
// repeat.

#ifndef FERRY_TRANSPORT_ADDRESS_H_
#define FERRY_TRANSPORT_ADDRESS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ferry {

struct Address {
  std::string text;                // as given
  std::string scheme;              // "exec"
  std::vector<std::string> words;  // the body, split at spaces, decoded
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded

  // Returns: INVALID_ARGUMENT, naming what was given and what is wrong with it.
  static absl::StatusOr<Address> Parse(std::string_view given);

  // The last value of a parameter; null when it is not there.
  const std::string* Find(const char* name) const;

  // Returns: INVALID_ARGUMENT when there is a parameter not in `known`, listing them.
  absl::Status CheckParameters(absl::Span<const char* const> known) const;
};

// INVALID_ARGUMENT for a value that a parameter does not take, saying what it takes.
absl::Status BadParameter(const Address& address, const char* name, const std::string& value,
                          const char* expected);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_ADDRESS_H_
