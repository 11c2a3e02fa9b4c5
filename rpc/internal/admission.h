// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_ADMISSION_H_
#define FERRY_RPC_INTERNAL_ADMISSION_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "ferry/rpc/internal/entrance.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Who may connect, and how many are there. Thread contract: owned by the leader of the lane.
class Admission {
 public:
  // `max_connections`: through all entrances together that have no limit of their own.
  explicit Admission(size_t max_connections) : max_connections_(max_connections) {}

  // `shaking`: how many have not said hello. Returns: what `admit` says; RESOURCE_EXHAUSTED
  // with the limit and its number.
  absl::Status MayEnter(const Entrance& entrance, const Peer& peer, size_t shaking) const;

  void Enter(const Entrance& entrance, const Peer& peer);
  void Leave(const Entrance& entrance, const Peer& peer);

 private:
  const size_t max_connections_;
  size_t count_ = 0;  // through those
  absl::flat_hash_map<const Entrance*, size_t> by_entrance_;
  absl::flat_hash_map<int64_t, size_t> by_process_;  // where it is known
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_ADMISSION_H_
