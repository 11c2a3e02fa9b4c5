// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_USUAL_FRAME_H_
#define FERRY_TRANSPORT_INTERNAL_USUAL_FRAME_H_

#include <cstddef>

#include "ferry/proto/frame.h"

namespace ferry::internal {

// Most headers: surely valid, and quickly told. ValidateFrameHeader judges the others.
inline bool IsUsualFrame(const FrameHeader& header, size_t max_frame) {
  if (header.length > max_frame) return false;
  if (header.type == FrameType::kRequest) return header.flags == kFlagEnd;
  return header.type == FrameType::kReply && header.flags == 0 && header.aux == 0 &&
         header.method == 0;
}

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_USUAL_FRAME_H_
