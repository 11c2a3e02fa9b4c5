// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/metadata_codec.h"

#include "absl/strings/str_cat.h"

namespace ferry::internal {

wire::Metadata EncodeMetadata(const Metadata& metadata) {
  wire::Metadata wire;
  for (const Metadata::Entry& entry : metadata) {
    wire::Metadata::Entry& added = *wire.add_entries();
    added.set_name(entry.first);
    added.set_value(entry.second);
  }
  return wire;
}

bool DecodeMetadata(const char* data, size_t size, Metadata& metadata) {
  wire::Metadata wire;
  if (!wire.ParseFromArray(data, static_cast<int>(size))) return false;
  for (const wire::Metadata::Entry& entry : wire.entries()) {
    if (IsMetadataName(entry.name())) metadata.Add(entry.name(), entry.value());
  }
  return true;
}

bool IsMetadataName(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !name.empty() && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

absl::Status TooMuchMetadata(size_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("metadata of ", bytes, " bytes, at most ", Metadata::kMaxBytes, " are allowed"));
}

}  // namespace ferry::internal
