// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_STATUS_CODEC_H_
#define FERRY_RPC_INTERNAL_STATUS_CODEC_H_

#include <cstdint>

#include "absl/status/status.h"
#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/internal/body.h"

namespace ferry::internal {

// Text and details; the code travels in the frame header.
wire::Status EncodeStatus(const absl::Status& status);

// Returns the status that was encoded; INTERNAL when the bytes are none.
absl::Status DecodeStatus(uint16_t code, const Body& body);

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_STATUS_CODEC_H_
