// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_HOT_SESSIONS_H_
#define FERRY_RPC_INTERNAL_HOT_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/time/time.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/transport/wait_set.h"

namespace ferry::internal {

// The sessions of a lane that had frames just now: its leader looks at them in turn, and
// does not arm them, which spares their peers the wakeups. One that is not here is armed,
// or the set has been told of it.
// Thread contract: owned by the leader of the lane.
class HotSessions {
 public:
  using Id = WaitSet::Id;

  struct Entry {
    Id id = 0;
    std::shared_ptr<Session> session;
    uint64_t turn = 0;  // its last
  };

  // `set`, which the sessions have joined, outlives this.
  explicit HotSessions(WaitSet& set) : set_(set) {}

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

  // One that has had its turn, and has nothing left. False if it is to be armed.
  bool Add(Id id, const std::shared_ptr<Session>& session);

  // The caller tells the set of it, or drops it.
  void Remove(Id id);

  // Looks at the next, whose turn it is if something has arrived; else null. REQUIRES: it is
  // not empty.
  const Entry* Poll() {
    if (next_ >= entries_.size()) next_ = 0;
    const Entry& entry = entries_[next_];
    if (entry.session->connection().transport().Poll()) {
      ++next_;
      return &entry;
    }
    if (turn_ - entry.turn < kQuietTurns || entries_.size() == 1) {
      ++next_;
    } else {
      Cool(next_);
    }
    return nullptr;
  }

  // Arms all, before a sleep.
  void CoolAll();
  void Clear() { entries_.clear(); }

  // For how long to look at them.
  absl::Duration spin_limit() const;
  // Whether that takes no system call.
  bool polls_memory() const;

 private:
  // So many cost less than a sleep to look at.
  static constexpr size_t kMost = 64;

  // After so many turns of others, one is quiet.
  static constexpr uint64_t kQuietTurns = 256;

  void Cool(size_t index) ABSL_ATTRIBUTE_COLD;
  void Erase(size_t index);

  WaitSet& set_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
  uint64_t turn_ = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_HOT_SESSIONS_H_
