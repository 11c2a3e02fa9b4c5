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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ferry {

struct AddressParameter {
  std::string name;
  std::string value;  // decoded
  std::string where;  // for error texts: "address 'shm:kv?spin=5us'"
};

struct Address {
  std::string text;                          // as given
  std::string where;                         // for error texts: "address 'shm:kv'"
  std::string scheme;                        // "exec"
  std::vector<std::string> words;            // the body, split at spaces, decoded
  std::vector<AddressParameter> parameters;  // of those that do not repeat the last one holds

  // What parameters there are is for CheckAddress to say (parameter.h).
  // Returns: INVALID_ARGUMENT, naming what was given and what is wrong with it.
  static absl::StatusOr<Address> Parse(std::string_view given);

  // Adds "NAME=VALUE&NAME=VALUE", which was said at `said_at`. Returns: as Parse.
  absl::Status AddParameters(std::string_view query, const std::string& said_at);

  // The last one of that name; null when there is none.
  const AddressParameter* Find(std::string_view name) const;
};

// Whether it is SCHEME:BODY, or at least looks as if it should be.
bool HasScheme(std::string_view given);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_ADDRESS_H_
