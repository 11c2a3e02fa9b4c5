// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A set of states, each of which gets a number when it is first added.

#ifndef FERRY_TESTS_MODEL_STATE_SET_H_
#define FERRY_TESTS_MODEL_STATE_SET_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

namespace ferry::model {

// States are kept whole, not as hashes: two that differ are never taken for one.
// Thread contract: one thread.
template <typename State>
class StateSet final {
  static_assert(std::is_trivially_copyable_v<State>);
  static_assert(std::has_unique_object_representations_v<State>, "is compared bytewise");

 public:
  struct Added {
    uint32_t id;
    bool is_new;
  };

  Added Add(const State& state) {
    if (size_ * 2 >= table_.size()) Grow();
    uint64_t hash = HashOf(state);
    Entry* entry = Find(hash, &state);
    if (entry->id != kNone) return {entry->id, false};
    if (size_ % kChunk == 0) chunks_.push_back(std::make_unique<State[]>(kChunk));
    *entry = {size_, TagOf(hash)};
    chunks_.back()[size_ % kChunk] = state;
    return {size_++, true};
  }

  // The reference stays good while states are added.
  const State& operator[](uint32_t id) const { return chunks_[id / kChunk][id % kChunk]; }
  uint32_t size() const { return size_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kChunk = 1 << 14;

  struct Entry {
    uint32_t id = kNone;
    uint32_t tag = 0;  // of the hash, to spare most comparisons
  };

  static uint64_t HashOf(const State& state) {
    const char* bytes = reinterpret_cast<const char*>(&state);
    uint64_t hash = 0;
    for (size_t at = 0; at < sizeof(State); at += sizeof(uint64_t)) {
      uint64_t word = 0;
      size_t left = sizeof(State) - at;
      std::memcpy(&word, bytes + at, left < sizeof(word) ? left : sizeof(word));
      hash = (hash ^ word) * 0x9E3779B97F4A7C15;
      hash ^= hash >> 32;
    }
    return hash;
  }
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

  // Where the state is or goes; with nullptr, the first free place.
  Entry* Find(uint64_t hash, const State* state) {
    for (size_t at = hash;; ++at) {
      Entry& entry = table_[at & (table_.size() - 1)];
      if (entry.id == kNone) return &entry;
      if (state == nullptr || entry.tag != TagOf(hash)) continue;
      if (std::memcmp(&(*this)[entry.id], state, sizeof(State)) == 0) return &entry;
    }
  }

  void Grow() {
    table_.assign(table_.empty() ? 1 << 12 : table_.size() * 2, Entry());
    for (uint32_t id = 0; id < size_; ++id) {
      uint64_t hash = HashOf((*this)[id]);
      *Find(hash, nullptr) = {id, TagOf(hash)};
    }
  }

  std::vector<std::unique_ptr<State[]>> chunks_;
  std::vector<Entry> table_;  // a power of two of them
  uint32_t size_ = 0;
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_STATE_SET_H_
