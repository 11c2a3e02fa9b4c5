// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_FRAME_READER_H_
#define FERRY_RPC_INTERNAL_FRAME_READER_H_

#include "ferry/transport/deadline.h"

namespace ferry::internal {

// What a waiting caller does while it holds the read token.
class FrameReader {
 public:
  enum class Step { kHandled, kEmpty, kClosed };

  virtual Step HandleNext() = 0;
  // Until HandleNext may have something to do, or the deadline.
  // Interruptible: or until the transport is interrupted.
  virtual void WaitForFrames(Deadline deadline, bool interruptible) = 0;

 protected:
  ~FrameReader() = default;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_FRAME_READER_H_
