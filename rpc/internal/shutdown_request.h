// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SHUTDOWN_REQUEST_H_
#define FERRY_RPC_INTERNAL_SHUTDOWN_REQUEST_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/event.h"

namespace ferry::internal {

// That a server is to shut down, and until when; once asked for it stays so.
//
// Thread contract: Open before all else; Ask on any thread, and in a signal handler, since
// it stores a number and writes to a descriptor; Wait on one thread at a time; the rest on
// any.
class ShutdownRequest {
 public:
  // Returns: RESOURCE_EXHAUSTED when the process is out of descriptors.
  absl::Status Open() { return changed_.Open(); }

  // The shortest grace counts.
  void Ask(absl::Duration grace);

  // Polls as readable once it is asked for.
  int fd() const { return changed_.fd(); }

  bool asked() const { return deadline_.load() != kNotAsked; }
  // When the grace ends. REQUIRES: asked().
  Deadline deadline() const;

  // Sleeps until it is asked for, sooner than before, somebody calls Wake, or `until`.
  void Wait(Deadline until);
  void Wake() { changed_.Set(); }

 private:
  static constexpr int64_t kNotAsked = INT64_MAX;

  // Of the steady clock, in its ticks. Sequentially consistent, and stored before the event
  // is set: who clears that looks here afterwards.
  std::atomic<int64_t> deadline_{kNotAsked};
  Event changed_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SHUTDOWN_REQUEST_H_
