// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/fd.h"

#include "ferry/transport/internal/sys.h"

namespace ferry::internal {

void UniqueFd::Reset() {
  if (fd_ < 0) return;
  UnhideFromForks(fd_);
  sys::Close(std::exchange(fd_, -1));
}

}  // namespace ferry::internal
