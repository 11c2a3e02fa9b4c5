// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/metadata.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ferry/rpc/internal/metadata_codec.h"
#include "ferry/rpc/internal/utf8.h"

namespace ferry {
namespace {

bool IsBinary(std::string_view name) {
  constexpr std::string_view kEnd = "-bin";
  return name.size() >= kEnd.size() && name.substr(name.size() - kEnd.size()) == kEnd;
}

}  // namespace

std::optional<std::string_view> Metadata::Find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.first == name) return entry.second;
  }
  return std::nullopt;
}

absl::Status Metadata::Validate() const {
  for (const Entry& entry : entries_) {
    if (!internal::IsMetadataName(entry.first)) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata named \"", entry.first,
                       "\", expected lower-case letters, digits, '-', '_' and '.'"));
    }
    if (!IsBinary(entry.first) && !internal::IsUtf8(entry.second)) {
      return absl::InvalidArgumentError(absl::StrCat("the value of metadata ", entry.first, ", ",
                                                     entry.second.size(),
                                                     " bytes, is not UTF-8: for other bytes the "
                                                     "name has to end in \"-bin\""));
    }
  }
  size_t bytes = empty() ? 0 : internal::EncodeMetadata(*this).ByteSizeLong();
  return bytes <= kMaxBytes ? absl::OkStatus() : internal::TooMuchMetadata(bytes);
}

}  // namespace ferry
