// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What fork() does to ferry: in the forked child its threads are gone, its locks may be
// taken for ever, and its descriptors would keep connections open that belong to the
// parent. So what was made before a fork() refuses to work after it, and its descriptors
// are replaced by /dev/null there, under the same numbers.

#ifndef FERRY_TRANSPORT_INTERNAL_FORK_H_
#define FERRY_TRANSPORT_INTERNAL_FORK_H_

#include <cstdint>

#include "absl/status/status.h"

namespace ferry::internal {

// Remembers in which process an object was made. Thread contract: thread-safe.
class ForkMark {
 public:
  ForkMark();

  // True in a child that was forked since.
  bool IsForked() const;

  // FAILED_PRECONDITION: "`what` was made before fork(), …".
  static absl::Status Refuse(const char* what);

 private:
  const uint32_t made_in_;
};

// From Hide to Unhide a forked child gets /dev/null in the place of `fd`. Any thread. A
// fork() at the very moment in which a descriptor is made or closed may miss it.
void HideFromForks(int fd);
void UnhideFromForks(int fd);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_FORK_H_
