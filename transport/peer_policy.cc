// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/peer_policy.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace ferry {

absl::Status AdmitOwnUserAndRoot(const Peer& peer) {
  int64_t own = geteuid();
  if (peer.uid == -1 || peer.uid == 0 || peer.uid == own) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("user ", peer.uid, " is not admitted, only user ",
                                                  own, own == 0 ? "" : " and root"));
}

}  // namespace ferry
