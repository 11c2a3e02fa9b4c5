// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/parameter.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ferry/transport/internal/near_miss.h"
#include "ferry/transport/internal/parameter_value.h"
#include "ferry/transport/internal/scheme.h"

namespace ferry {

using internal::SchemeSet;
using Kind = Parameter::Kind;
using Side = Parameter::Side;

namespace {

constexpr SchemeSet kEvery = internal::kEvery, kExec = internal::kExec, kNamed = internal::kNamed,
                    kOrphans = internal::kParent | internal::kStdio,
                    kConnected = internal::kConnected, kServed = internal::kServed,
                    kRings = internal::kShm | internal::kExecShm,
                    kLosable = internal::kNamed | internal::kExec,
                    // Those that tell which process is the client.
    kTelling = internal::kNamed & ~internal::kNamedPipe;

constexpr Side kClient = Side::kClient, kServer = Side::kServer, kBoth = Side::kBoth;

constexpr Parameter Word(const char* name, Kind kind, bool repeats) {
  return {name, kind, "", "", "", "", kExec, kClient, repeats};
}

constexpr Parameter Choice(const char* name, const char* standard, const char* choices,
                           SchemeSet schemes) {
  return {name, Kind::kChoice, standard, "", "", choices, schemes, kClient, false};
}

constexpr Parameter Number(const char* name, Kind kind, const char* standard, const char* lowest,
                           const char* highest, SchemeSet schemes, Side side) {
  return {name, kind, standard, lowest, highest, "", schemes, side, false};
}

// docs/configuration.md, which says what they are for, has the same rows.
constexpr Parameter kParameters[] = {
    Word("arg", Kind::kText, true),
    Word("env", Kind::kVariable, true),
    Word("cwd", Kind::kText, false),
    Choice("transport", "pipe", "pipe|stdio|unix|shm", kExec),
    Choice("stdin", "inherit", "inherit|null", kExec),
    Choice("stdout", "inherit", "inherit|null|capture", kExec),
    Choice("stderr", "inherit", "inherit|null|capture", kExec),
    Number("grace", Kind::kDuration, "1s", "0", "inf", kExec, kClient),
    Choice("restart", "never", "never|on-failure|always", kExec),
    Number("restart_limit", Kind::kCount, "5", "1", "inf", kExec, kClient),
    Number("restart_window", Kind::kDuration, "1m", "1ms", "inf", kExec, kClient),
    Number("orphan_grace", Kind::kDuration, "5s", "0", "inf", kOrphans, kServer),
    Number("spin", Kind::kDuration, "100us", "0", "10ms", kEvery, kBoth),
    Number("ring", Kind::kSize, "64KiB", "1", "64MiB", kRings, kBoth),
    {"trusted", Kind::kFlag, "0", "", "", "", kRings, kBoth, false},
    Number("max_message", Kind::kSize, "64MiB", "1", "2147483647", kEvery, kBoth),
    Number("handshake_timeout", Kind::kDuration, "10s", "1ms", "inf", kConnected, kBoth),
    Number("wait_for_ready", Kind::kDuration, "0", "0", "inf", kNamed, kClient),
    Choice("reconnect", "on-call", "never|on-call|at-once", kLosable),
    Number("max_backoff", Kind::kDuration, "1s", "1ms", "inf", kLosable, kClient),
    Number("keepalive", Kind::kDuration, "inf", "1ms", "inf", kConnected, kClient),
    Number("max_connections", Kind::kCount, "4096", "1", "inf", kNamed, kServer),
    Number("max_connections_per_process", Kind::kCount, "inf", "1", "inf", kTelling, kServer),
    Number("max_handshakes", Kind::kCount, "256", "1", "inf", kNamed, kServer),
    Number("request_credit", Kind::kSize, "1MiB", "1", "1GiB", kServed, kServer),
    Number("max_requests", Kind::kCount, "inf", "1", "inf", kServed, kServer),
    Number("max_connection_memory", Kind::kSize, "128MiB", "1", "inf", kServed, kServer),
};

std::vector<std::string> NamesIn(SchemeSet schemes) {
  std::vector<std::string> names;
  for (const Parameter& parameter : kParameters) {
    if ((parameter.schemes & schemes) != 0) names.emplace_back(parameter.name);
  }
  return names;
}

// Where a scheme has no such parameter.
absl::Status NoSuchParameter(const Address& address, const AddressParameter& given,
                             SchemeSet schemes) {
  const Parameter* elsewhere = FindParameter(given.name);
  if (elsewhere != nullptr && (schemes & kExec) != 0 && elsewhere->schemes == kRings) {
    return absl::InvalidArgumentError(
        absl::StrCat(given.where, ": ", given.name, " is a parameter of transport=shm"));
  }
  std::vector<std::string> names = NamesIn(schemes);
  if (elsewhere == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(given.where, ": unknown parameter '", given.name,
                                                   "'", internal::DidYouMean(given.name, names),
                                                   "; ", address.scheme, ": has ",
                                                   absl::StrJoin(names, ", ")));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      given.where, ": ", given.name, " is a parameter of ", internal::ListOf(elsewhere->schemes),
      "; ", address.scheme, ": has ", absl::StrJoin(names, ", ")));
}

absl::Status CheckValue(const Parameter& parameter, const AddressParameter& given) {
  if (internal::Takes(parameter, given.value)) return absl::OkStatus();
  std::string meant;
  if (parameter.kind == Kind::kChoice) {
    meant = internal::DidYouMean(given.value, absl::StrSplit(parameter.choices, '|'));
  }
  return absl::InvalidArgumentError(absl::StrCat(given.where, ": ", given.name, "='", given.value,
                                                 "'", meant, ", expected ",
                                                 internal::ExpectedOf(parameter)));
}

}  // namespace

absl::Span<const Parameter> Parameters() { return kParameters; }

const Parameter* FindParameter(std::string_view name) {
  const Parameter* end = std::end(kParameters);
  const Parameter* found =
      std::find_if(std::begin(kParameters), end,
                   [&](const Parameter& parameter) { return parameter.name == name; });
  return found == end ? nullptr : found;
}

absl::Status CheckAddress(const Address& address) {
  absl::Status known = internal::CheckScheme(address, kEvery, "to serve or to connect to");
  if (!known.ok()) return known;
  const SchemeSet schemes = internal::SchemesOf(address);
  for (const AddressParameter& given : address.parameters) {
    const Parameter* parameter = FindParameter(given.name);
    if (parameter == nullptr || (parameter->schemes & schemes) == 0) {
      return NoSuchParameter(address, given, schemes);
    }
    if (absl::Status taken = CheckValue(*parameter, given); !taken.ok()) return taken;
  }
  return absl::OkStatus();
}

void Read(const Address& address, std::string_view name, std::string& value) {
  if (const AddressParameter* given = address.Find(name)) value = given->value;
}

void Read(const Address& address, std::string_view name, absl::Duration& value) {
  if (const AddressParameter* given = address.Find(name)) {
    value = internal::ParseDurationValue(given->value).value_or(value);
  }
}

void Read(const Address& address, std::string_view name, size_t& value) {
  const Parameter* parameter = FindParameter(name);
  const AddressParameter* given = address.Find(name);
  if (given == nullptr || parameter == nullptr) return;
  value = internal::ParseNumberValue(parameter->kind, given->value).value_or(value);
}

void Read(const Address& address, std::string_view name, bool& value) {
  if (const AddressParameter* given = address.Find(name)) {
    value = internal::ParseFlagValue(given->value).value_or(value);
  }
}

std::optional<int> ChoiceOf(const Address& address, std::string_view name) {
  const Parameter* parameter = FindParameter(name);
  const AddressParameter* given = address.Find(name);
  if (given == nullptr || parameter == nullptr) return std::nullopt;
  std::vector<std::string> choices = absl::StrSplit(parameter->choices, '|');
  auto found = std::find(choices.begin(), choices.end(), given->value);
  if (found == choices.end()) return std::nullopt;
  return static_cast<int>(found - choices.begin());
}

}  // namespace ferry
