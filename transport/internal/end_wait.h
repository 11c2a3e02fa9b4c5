// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_END_WAIT_H_
#define FERRY_TRANSPORT_INTERNAL_END_WAIT_H_

#include <atomic>

#include "absl/status/status.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Sleeps until a peer has gone, beside the thread that receives, which it does not disturb.
// Thread contract: Open first, Wait and Pause on one thread, Stop and Nudge on any.
class EndWait {
 public:
  // Returns: RESOURCE_EXHAUSTED when this process has no descriptor left.
  absl::Status Open() { return wake_.Open(); }

  // Until the peer of `transport` has gone, the transport is closed, or the deadline; of one
  // that has no EndSign, or is closed while the process that is its EndSign goes on, until
  // Nudge or the deadline. False after Stop.
  bool Wait(const Transport& transport, Deadline deadline);
  // Until the deadline. False after Stop.
  bool Pause(Deadline deadline);

  // For good.
  void Stop() {
    is_stopped_.store(true);
    Nudge();
  }

  // Ends a Wait, the present or the next one.
  void Nudge() {
    if (wake_.is_open()) wake_.Set();
  }

 private:
  Event wake_;
  std::atomic<bool> is_stopped_{false};
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_END_WAIT_H_
