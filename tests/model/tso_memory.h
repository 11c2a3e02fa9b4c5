// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory as x86 has it (x86-TSO): each thread's plain stores wait in a first-in-first-out
// buffer that only this thread reads, and reach memory one by one, at any time. An exchange
// or compare-and-swap waits until the thread's buffer is empty.

#ifndef FERRY_TESTS_MODEL_TSO_MEMORY_H_
#define FERRY_TESTS_MODEL_TSO_MEMORY_H_

#include <cstdint>

namespace ferry::model {

// Part of a model's state: all zero in the beginning, equal when all bytes are.
template <int kWords, int kThreads, int kDepth>
struct TsoMemory {
  struct Store {
    uint8_t word_and_1;  // 0: none
    uint8_t value;
  };

  uint8_t words[kWords];
  Store buffers[kThreads][kDepth];  // oldest first

  bool HasDrained(int thread) const { return buffers[thread][0].word_and_1 == 0; }
  bool IsFull(int thread) const { return buffers[thread][kDepth - 1].word_and_1 != 0; }

  uint8_t Load(int thread, int word) const {
    for (int i = kDepth - 1; i >= 0; --i) {
      const Store& store = buffers[thread][i];
      if (store.word_and_1 == word + 1) return store.value;
    }
    return words[word];
  }

  // False when the thread has to wait: also a processor's buffer has an end.
  bool PlainStore(int thread, int word, uint8_t value) {
    if (IsFull(thread)) return false;
    Store* store = buffers[thread];
    while (store->word_and_1 != 0) ++store;
    *store = {static_cast<uint8_t>(word + 1), value};
    return true;
  }

  // What std::memory_order_seq_cst makes of a store. False when the thread has to wait.
  bool SeqCstStore(int thread, int word, uint8_t value) {
    if (!HasDrained(thread)) return false;
    words[word] = value;
    return true;
  }

  // The oldest store reaches memory. REQUIRES: !HasDrained(thread).
  void DrainOne(int thread) {
    Store* buffer = buffers[thread];
    words[buffer[0].word_and_1 - 1] = buffer[0].value;
    for (int i = 0; i + 1 < kDepth; ++i) buffer[i] = buffer[i + 1];
    buffer[kDepth - 1] = {0, 0};
  }
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_TSO_MEMORY_H_
