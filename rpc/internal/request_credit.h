// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_REQUEST_CREDIT_H_
#define FERRY_RPC_INTERNAL_REQUEST_CREDIT_H_

#include <algorithm>
#include <cstdint>
#include <deque>

#include "ferry/rpc/internal/credit.h"
#include "ferry/rpc/internal/pending_call.h"

namespace ferry::internal {

// Room that the peer has for requests, and the calls that wait for more, in their order.
// Thread contract: thread-compatible; its owner's lock guards it.
class RequestCredit {
 public:
  // What the peer gives at first; 0: it does not count.
  void Start(uint64_t bytes) { credit_.Start(bytes); }
  void Give(uint64_t bytes) {
    credit_.Give(bytes);
    if (credit_.allows() && !waiting_.empty()) waiting_.front()->wait.Tell();
  }

  bool Allows(const PendingCall& call) const {
    return credit_.allows() && (waiting_.empty() || waiting_.front() == &call);
  }
  void Draw(const PendingCall& call) { credit_.Draw(call.cost()); }

  void Queue(PendingCall& call) { waiting_.push_back(&call); }
  // Answers whether there is a next one, whose turn it may be.
  bool Leave(PendingCall& call) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &call));
    Give(0);
    return !waiting_.empty();
  }

  // Because there is nothing to wait for any more.
  void TellAll() {
    for (PendingCall* call : waiting_) call->wait.Tell();
  }

 private:
  Credit credit_;
  std::deque<PendingCall*> waiting_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_REQUEST_CREDIT_H_
