// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_REQUEST_CREDIT_H_
#define FERRY_RPC_INTERNAL_REQUEST_CREDIT_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>

#include "ferry/rpc/internal/pending_call.h"

namespace ferry::internal {

// Bytes of requests that the peer still has room for, and the calls that wait for more, in
// their order. Any credit above zero allows one request, whatever its size.
// Thread contract: thread-compatible; its owner's lock guards it.
class RequestCredit {
 public:
  // What the peer gives at first; 0: it does not count.
  void Start(uint64_t bytes) {
    is_counted_ = bytes != 0;
    Give(bytes);
  }

  void Give(uint64_t bytes) {
    auto more = static_cast<int64_t>(std::min(bytes, uint64_t{kMost}));
    left_ = left_ > kMost - more ? kMost : left_ + more;
  }

  bool Allows(const PendingCall& call) const {
    return !is_counted_ || (left_ > 0 && (waiting_.empty() || waiting_.front() == &call));
  }
  void Draw(const PendingCall& call) { left_ -= static_cast<int64_t>(call.size); }

  void Queue(PendingCall& call) { waiting_.push_back(&call); }
  void Leave(PendingCall& call) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &call));
  }

  // Wakes the one whose turn it is.
  void WakeNext() {
    if (left_ > 0 && !waiting_.empty()) waiting_.front()->waiter.wake.NotifyOne();
  }
  // Because there is nothing to wait for any more.
  void WakeAll() {
    for (PendingCall* call : waiting_) call->waiter.wake.NotifyOne();
  }

 private:
  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

  bool is_counted_ = false;
  int64_t left_ = 0;  // below zero after a request that was larger
  std::deque<PendingCall*> waiting_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_REQUEST_CREDIT_H_
