// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/call_table.h"

namespace ferry::internal {

bool CallTable::Add(PendingCall& call) {
  if (free_.empty()) {
    if (slots_.size() == kMaxCalls) return false;
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.call = &call;
  slot.used = true;
  call.id = CallId::Make(opener_, index, slot.generation);
  return true;
}

CallTable::Slot* CallTable::Find(CallId id) {
  if (id.opener() != opener_ || id.index() >= slots_.size()) return nullptr;
  Slot& slot = slots_[id.index()];
  return slot.used && slot.generation == id.generation() ? &slot : nullptr;
}

void CallTable::Abandon(CallId id) {
  if (Slot* slot = Find(id)) slot->call = nullptr;
}

void CallTable::Remove(Slot& slot, CallId id) {
  slot.call = nullptr;
  slot.used = false;
  slot.generation = slot.generation == kMaxGeneration ? 1 : slot.generation + 1;
  free_.push_back(id.index());
}

}  // namespace ferry::internal
