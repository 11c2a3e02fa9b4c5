// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Calls that wait until the peer has room for their requests.

#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/leadership.h"

namespace ferry::internal {

// Until the peer has room for the request.
absl::Status Caller::AwaitCredit(PendingCall& call, Deadline deadline) {
  Leadership::PassOnBeforeWait();
  MutexLock lock(mutex_);
  while (refusal_.ok() && !credit_.Allows(call) && !HasPassed(deadline)) {
    if (token_.TryTake()) {
      credit_came_ = false;
      {
        MutexUnlock unlock(mutex_);
        ReadForCredit(deadline);
      }
      token_.Release();
    } else {
      token_.Wait(call.waiter, mutex_, deadline);
    }
  }
  bool allowed = refusal_.ok() && credit_.Allows(call);
  credit_.Leave(call);
  if (allowed) Open(call);
  credit_.WakeNext();
  token_.Offer();
  if (allowed) return absl::OkStatus();
  if (!refusal_.ok()) return refusal_;
  return absl::DeadlineExceededError(
      absl::StrCat(transport_.peer().description, " had no room in time for a request of ",
                   call.size, " bytes: it has not taken enough of those before it"));
}

void Caller::StartCredit(uint64_t bytes) {
  MutexLock lock(mutex_);
  credit_.Start(bytes);
}

void Caller::OnCredit(uint64_t bytes) {
  MutexLock lock(mutex_);
  GiveCredit(bytes);
}

void Caller::GiveCredit(uint64_t bytes) {
  credit_.Give(bytes);
  credit_.WakeNext();
  credit_came_ = true;
}

}  // namespace ferry::internal
