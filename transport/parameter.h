// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Parameters of addresses: which there are, which values they take, and what those are for
// the program. The fields of ferry.Endpoint (proto/config.proto) are the same;
// docs/configuration.md describes each.

#ifndef FERRY_TRANSPORT_PARAMETER_H_
#define FERRY_TRANSPORT_PARAMETER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "ferry/transport/address.h"
#include "ferry/transport/internal/scheme.h"

namespace ferry {

struct Parameter {
  enum class Kind : uint8_t {
    kText,      // any bytes
    kVariable,  // NAME=VALUE, of the environment
    kChoice,    // one of some words
    kDuration,  // "20us", "1.5s", "inf"
    kSize,      // bytes: "65536", "64KiB", "1MiB", "inf"
    kCount,     // "16", "inf"
    kFlag,      // "0" or "1", "false" or "true"
  };
  // Who uses it. The other side checks the value as well, so that one text serves both.
  enum class Side : uint8_t { kClient, kServer, kBoth };

  const char* name;
  Kind kind;
  const char* standard;         // the value of who says nothing; "" for none
  const char* lowest;           // of durations, sizes and counts
  const char* highest;          // of the same
  const char* choices;          // of choices: "never|always"
  internal::SchemeSet schemes;  // of the addresses that have it
  Side side;
  bool repeats;  // all values count; of others the last one
};

absl::Span<const Parameter> Parameters();

// Null when there is none of that name.
const Parameter* FindParameter(std::string_view name);

// Whether there is such a scheme, which has these parameters, with such values.
// Returns: INVALID_ARGUMENT, saying where what was given instead of what.
absl::Status CheckAddress(const Address& address);

// Sets `value` to what the address says, and leaves it alone when it says nothing.
// REQUIRES: CheckAddress is OK; the parameter has the kind of the value: text, duration,
// size or count (all bits set for inf), or flag.
void Read(const Address& address, std::string_view name, std::string& value);
void Read(const Address& address, std::string_view name, absl::Duration& value);
void Read(const Address& address, std::string_view name, size_t& value);
void Read(const Address& address, std::string_view name, bool& value);

// The place of a choice among the choices; nullopt when the address says nothing.
std::optional<int> ChoiceOf(const Address& address, std::string_view name);

// For a choice whose words stand in the order of an enumeration's values.
template <typename Enum>
void ReadChoice(const Address& address, std::string_view name, Enum& value) {
  if (std::optional<int> choice = ChoiceOf(address, name)) value = static_cast<Enum>(*choice);
}

}  // namespace ferry

#endif  // FERRY_TRANSPORT_PARAMETER_H_
