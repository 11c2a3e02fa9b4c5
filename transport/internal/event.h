// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_EVENT_H_
#define FERRY_TRANSPORT_INTERNAL_EVENT_H_

#include "absl/status/status.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/fd.h"

namespace ferry::internal {

// A descriptor that polls as readable from Set to Clear. Made on first need, since
// most connections never need one. Thread contract: Open before all else; then
// thread-safe.
class Event {
 public:
  // Returns: RESOURCE_EXHAUSTED when the process is out of descriptors.
  absl::Status Open();
  bool is_open() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }

  // Safe in a signal handler; harmless before Open.
  void Set();
  void Clear();

  // Sleeps until it is set, or the deadline, or now and then for no reason.
  void Wait(Deadline deadline) const;

 private:
  UniqueFd fd_;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_EVENT_H_
