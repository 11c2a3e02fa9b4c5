// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/byte_size.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ferry::internal {
namespace {

struct Unit {
  const char* name;
  uint64_t bytes;
};
constexpr Unit kUnits[] = {
    {"GiB", uint64_t{1} << 30}, {"MiB", uint64_t{1} << 20}, {"KiB", uint64_t{1} << 10}};

}  // namespace

std::optional<uint64_t> ParseByteSize(absl::string_view text) {
  uint64_t unit = 1;
  for (const Unit& candidate : kUnits) {
    if (absl::ConsumeSuffix(&text, candidate.name)) {
      unit = candidate.bytes;
      break;
    }
  }
  uint64_t count;
  bool is_number = !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
                   absl::SimpleAtoi(text, &count);
  if (!is_number || count > std::numeric_limits<uint64_t>::max() / unit) return std::nullopt;
  return count * unit;
}

std::string FormatByteSize(uint64_t bytes) {
  for (const Unit& unit : kUnits) {
    if (bytes != 0 && bytes % unit.bytes == 0) return absl::StrCat(bytes / unit.bytes, unit.name);
  }
  return absl::StrCat(bytes);
}

}  // namespace ferry::internal
