// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Calls that wait until the peer has room for their requests.

#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/caller_beside.h"
#include "ferry/rpc/internal/own_status.h"

namespace ferry::internal {

// Until the peer has room for the request.
absl::Status Caller::AwaitCredit(PendingCall& call, Deadline deadline) {
  PassOnBeforeWait();
  Beside beside(*this, call.wait);
  MutexLock lock(mutex_);
  while (refusal_.ok() && !credit_.Allows(call) && !HasPassed(deadline) && !call.done.load()) {
    AwaitNews(call.wait, deadline);
  }
  bool allowed = refusal_.ok() && credit_.Allows(call) && !call.done.load();
  if (allowed) Open(call);
  if (credit_.Leave(call)) transport_.Interrupt();  // the next may be reading
  token_.Offer();
  if (allowed) return absl::OkStatus();
  if (call.done.load()) return Cancelled();
  if (!refusal_.ok()) return OwnCopy(refusal_);
  return absl::DeadlineExceededError(
      absl::StrCat(transport_.peer().description, " had no room in time for a request of ",
                   call.cost(), " bytes: it has not taken enough of those before it"));
}

void Caller::StartCredit(uint64_t for_requests, uint64_t for_streams) {
  MutexLock lock(mutex_);
  credit_.Start(for_requests);
  peer_stream_credit_ = for_streams;
}

void Caller::OnCredit(uint64_t bytes) {
  MutexLock lock(mutex_);
  GiveCredit(bytes);
}

void Caller::GiveCredit(uint64_t bytes) { credit_.Give(bytes); }

}  // namespace ferry::internal
