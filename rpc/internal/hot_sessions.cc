// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/hot_sessions.h"

#include <algorithm>
#include <utility>

namespace ferry::internal {

// Of those at which a look is a system call there is one: a look at the set takes as long,
// and sees all the others.
bool HotSessions::Add(Id id, const std::shared_ptr<Session>& session) {
  const Transport& transport = session->connection().transport();
  if (transport.spin_limit() == absl::ZeroDuration()) return false;
  ++turn_;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].id == id) {
      entries_[i].turn = turn_;
      return true;
    }
  }
  if (!transport.polls_memory()) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].session->connection().transport().polls_memory()) Cool(i);
    }
  }
  if (entries_.size() == kMost) return false;
  entries_.push_back({id, session, turn_});
  return true;
}

void HotSessions::Remove(Id id) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].id == id) return Erase(i);
  }
}

void HotSessions::Erase(size_t index) {
  std::swap(entries_[index], entries_.back());
  entries_.pop_back();
}

void HotSessions::Cool(size_t index) {
  if (entries_[index].session->connection().Arm()) set_.Notify(entries_[index].id);
  Erase(index);
}

void HotSessions::CoolAll() {
  while (!entries_.empty()) Cool(entries_.size() - 1);
}

absl::Duration HotSessions::spin_limit() const {
  absl::Duration limit;
  for (const Entry& entry : entries_) {
    limit = std::max(limit, entry.session->connection().transport().spin_limit());
  }
  return limit;
}

bool HotSessions::polls_memory() const {
  return std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.session->connection().transport().polls_memory();
  });
}

}  // namespace ferry::internal
