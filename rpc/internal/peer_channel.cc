// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/peer_channel.h"

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/own_status.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

Caller* PeerChannel::Begin(PendingCall& call, std::shared_ptr<void>& hold) {
  std::shared_ptr<Session> session = session_.lock();
  if (session == nullptr) return nullptr;
  Caller& caller = session->connection().caller();
  {
    MutexLock lock(caller.mutex());
    if (!caller.Begin(call)) return nullptr;
  }
  hold = std::move(session);
  return &caller;
}

absl::Status PeerChannel::Recover(const Patience&) {
  if (std::shared_ptr<Session> session = session_.lock()) {
    Caller& caller = session->connection().caller();
    MutexLock lock(caller.mutex());
    if (!caller.refusal().ok()) return OwnCopy(caller.refusal());
  }
  return absl::UnavailableError(
      absl::StrCat("the connection to ", peer_.description, " has ended"));
}

void PeerChannel::AfterStream(Caller& caller) {
  MutexLock lock(caller.mutex());
  caller.Leave();
}

void PeerChannel::Close() {
  if (std::shared_ptr<Session> session = session_.lock()) {
    session->Close(absl::CancelledError("the channel was closed"));
  }
}

}  // namespace ferry::internal
