// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Values of parameters, from their text.

#ifndef FERRY_TRANSPORT_INTERNAL_PARAMETER_VALUE_H_
#define FERRY_TRANSPORT_INTERNAL_PARAMETER_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "ferry/transport/parameter.h"

namespace ferry::internal {

// Each is nullopt for what is no such value.
std::optional<absl::Duration> ParseDurationValue(const std::string& text);
std::optional<uint64_t> ParseNumberValue(Parameter::Kind kind, const std::string& text);
std::optional<bool> ParseFlagValue(const std::string& text);

// Whether the parameter takes that value, its limits included.
bool Takes(const Parameter& parameter, const std::string& text);

// What that is, for error texts: "a duration such as 100us, at most 10ms, or 0".
std::string ExpectedOf(const Parameter& parameter);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PARAMETER_VALUE_H_
