// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_PEER_ORDER_H_
#define FERRY_TRANSPORT_INTERNAL_PEER_ORDER_H_

#include "absl/base/config.h"

#ifdef ABSL_HAVE_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace ferry::internal {

// Two threads of one process whose order is the peer's doing: it reads what the first has
// committed, and then releases the room that the second takes. ThreadSanitizer, which knows
// memory by its address here, sees nothing of what passes through a mapping of the peer's, and
// has to be told. Nothing in other builds. Thread contract: thread-safe.
class PeerOrder {
 public:
  void Before() {
#ifdef ABSL_HAVE_THREAD_SANITIZER
    __tsan_release(this);
#endif
  }
  void After() {
#ifdef ABSL_HAVE_THREAD_SANITIZER
    __tsan_acquire(this);
#endif
  }
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PEER_ORDER_H_
