// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_END_WAIT_H_
#define FERRY_TRANSPORT_END_WAIT_H_

#include "absl/status/status.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Sleeps until a peer has gone, beside the thread that receives, which it does not disturb.
// Thread contract: Open first, Wait on one thread at a time, Stop on any.
class EndWait {
 public:
  // Returns: RESOURCE_EXHAUSTED when this process has no descriptor left.
  absl::Status Open() { return stop_.Open(); }

  // Until the peer of `transport` has gone, the transport is closed, or the deadline; of one
  // that has no EndSign until the deadline. False after Stop.
  bool Wait(const Transport& transport, Deadline deadline);
  // Until the deadline. False after Stop.
  bool Pause(Deadline deadline);

  // For good.
  void Stop() {
    if (stop_.is_open()) stop_.Set();
  }

 private:
  internal::Event stop_;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_END_WAIT_H_
