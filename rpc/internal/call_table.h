// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALL_TABLE_H_
#define FERRY_RPC_INTERNAL_CALL_TABLE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "ferry/proto/frame.h"
#include "ferry/rpc/internal/pending_call.h"

namespace ferry::internal {

// The calls that this side has opened, by id. An index is taken from the request to
// the reply, even when the caller has gone away in between; its generation then grows,
// so that a frame for the old call meets nobody. Thread contract: thread-compatible.
class CallTable {
 public:
  explicit CallTable(uint32_t opener) : opener_(opener) {}

  // Gives the call its id; false when kMaxCalls are open.
  bool Add(PendingCall& call);

  struct Slot {
    PendingCall* call = nullptr;  // null when the caller has gone
    uint32_t generation = 1;
    bool used = false;
  };

  // Null when no call has the id.
  Slot* Find(CallId id);

  // The call of that index; null when there is none, or its caller has gone.
  PendingCall* FindIndex(uint32_t index) {
    return index < slots_.size() && slots_[index].used ? slots_[index].call : nullptr;
  }

  // The caller goes; the id stays taken until Remove.
  void Abandon(CallId id);

  // The reply has come, or the request never left.
  void Remove(CallId id) {
    if (Slot* slot = Find(id)) Remove(*slot, id);
  }
  void Remove(Slot& slot, CallId id);

  template <typename Visitor>
  void ForEach(Visitor visit) {
    for (Slot& slot : slots_) {
      if (slot.call != nullptr) visit(*slot.call);
    }
  }

  // Takes out every call that nobody is completing, and lets `visit` see it.
  template <typename Visitor>
  void TakeWaiting(Visitor visit) {
    for (Slot& slot : slots_) {
      if (slot.call == nullptr || slot.call->completing) continue;
      visit(*std::exchange(slot.call, nullptr));
    }
  }

 private:
  const uint32_t opener_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALL_TABLE_H_
