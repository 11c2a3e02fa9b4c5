// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CANCEL_REGISTRATION_H_
#define FERRY_RPC_INTERNAL_CANCEL_REGISTRATION_H_

#include "ferry/rpc/cancellation.h"

namespace ferry::internal {

// That a call is told of its cancellation, for as long as it is here. Thread contract:
// thread-compatible.
class CancelRegistration {
 public:
  CancelRegistration() = default;
  ~CancelRegistration() { End(); }
  CancelRegistration(const CancelRegistration&) = delete;
  CancelRegistration& operator=(const CancelRegistration&) = delete;

  // False if it is cancelled already; the target is not told then. Null: nothing to be told.
  bool Begin(Cancellation* cancellation, CancelTarget& target);

  // Afterwards the target is not told any more; waits while it is. REQUIRES: no lock is held
  // that OnCancel takes.
  void End();

 private:
  Cancellation* cancellation_ = nullptr;
  CancelTarget* target_ = nullptr;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CANCEL_REGISTRATION_H_
