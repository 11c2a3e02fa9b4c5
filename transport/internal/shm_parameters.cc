// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/shm_parameters.h"

#include <optional>
#include <string>

#include "ferry/transport/internal/byte_size.h"
#include "ferry/transport/internal/ring_layout.h"

namespace ferry::internal {

absl::StatusOr<ShmOptions> ShmOptionsOf(const Address& address) {
  ShmOptions options;
  if (const std::string* value = address.Find(kRing)) {
    std::optional<uint64_t> size = ParseByteSize(*value);
    if (!size.has_value() || *size == 0 || *size > RingGeometry::kMaxRing) {
      return BadParameter(address, kRing, *value, "a size such as 256KiB, at most 64MiB");
    }
    options.ring = *size;
  }
  if (const std::string* value = address.Find(kTrusted)) {
    if (*value != "0" && *value != "1") return BadParameter(address, kTrusted, *value, "0 or 1");
    options.trusted = *value == "1";
  }
  return options;
}

}  // namespace ferry::internal
