// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_METADATA_CODEC_H_
#define FERRY_RPC_INTERNAL_METADATA_CODEC_H_

#include <cstddef>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/metadata.h"

namespace ferry::internal {

bool IsMetadataName(std::string_view name);

wire::Metadata EncodeMetadata(const Metadata& metadata);

// Adds what was encoded; false when the bytes are none. A name that nobody may send is passed by.
bool DecodeMetadata(const char* data, size_t size, Metadata& metadata);

// What they take beside their bytes.
inline size_t OverheadOf(const Metadata& metadata) {
  return metadata.size() * sizeof(Metadata::Entry);
}

absl::Status TooMuchMetadata(size_t bytes) ABSL_ATTRIBUTE_COLD;

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_METADATA_CODEC_H_
