// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_BYTE_SIZE_H_
#define FERRY_TRANSPORT_INTERNAL_BYTE_SIZE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ferry::internal {

// "65536", "64KiB", "1MiB"; nullopt for anything else.
std::optional<uint64_t> ParseByteSize(absl::string_view text);

// In the largest of these units that needs no fraction.
std::string FormatByteSize(uint64_t bytes);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_BYTE_SIZE_H_
