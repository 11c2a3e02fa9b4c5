// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/admission.h"

#include "absl/strings/str_cat.h"

namespace ferry::internal {
namespace {

absl::Status Full(absl::string_view who, size_t count, const char* limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat(who, " has ", count, " connections, and allows no more (", limit, ")"));
}

template <typename Key>
size_t CountOf(const absl::flat_hash_map<Key, size_t>& counts, const Key& key) {
  auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

template <typename Key>
void Decrement(absl::flat_hash_map<Key, size_t>& counts, const Key& key) {
  auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace

absl::Status Admission::MayEnter(const Entrance& entrance, const Peer& peer, size_t shaking) const {
  const ServerOptions& options = entrance.options;
  if (absl::Status admitted = options.admit(peer); !admitted.ok()) return admitted;
  if (!entrance.has_own_limit && count_ >= max_connections_)
    return Full("the server", count_, "max_connections");
  size_t here = CountOf<const Entrance*>(by_entrance_, &entrance);
  if (here >= options.max_connections) return Full(entrance.address, here, "max_connections");
  size_t of_process = CountOf(by_process_, peer.pid);
  if (peer.pid > 0 && of_process >= options.max_connections_per_process) {
    return absl::ResourceExhaustedError(
        absl::StrCat("process ", peer.pid, " has ", of_process,
                     " connections, and is allowed no more (max_connections_per_process)"));
  }
  if (shaking >= options.max_handshakes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(shaking,
                     " clients have not said hello, and the server allows no more of them "
                     "(max_handshakes); try again"));
  }
  return absl::OkStatus();
}

void Admission::Enter(const Entrance& entrance, const Peer& peer) {
  if (!entrance.has_own_limit) ++count_;
  ++by_entrance_[&entrance];
  if (peer.pid > 0) ++by_process_[peer.pid];
}

void Admission::Leave(const Entrance& entrance, const Peer& peer) {
  if (!entrance.has_own_limit) --count_;
  Decrement<const Entrance*>(by_entrance_, &entrance);
  if (peer.pid > 0) Decrement(by_process_, peer.pid);
}

}  // namespace ferry::internal
