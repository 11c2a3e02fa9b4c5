// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/fork.h"

#include <pthread.h>

#include <atomic>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

// One bit for each descriptor up to the usual hard limit. The pages that are never
// touched take no memory.
constexpr size_t kBits = 64;
constexpr size_t kMaxDescriptors = size_t{1} << 20;

std::atomic<uint64_t> hidden[kMaxDescriptors / kBits];
std::atomic<size_t> words_used{0};  // words of `hidden` from here on are 0
std::atomic<uint32_t> forks{0};

// In the forked child, between fork() and its return: async-signal-safe.
void AfterForkInChild() {
  forks.fetch_add(1, std::memory_order_relaxed);
  size_t words = words_used.exchange(0, std::memory_order_relaxed);
  int null = words != 0 ? sys::OpenNull() : -1;
  for (size_t word = 0; word < words; ++word) {
    // Hidden once: the forked process may give the number to something of its own.
    uint64_t bits = hidden[word].exchange(0, std::memory_order_relaxed);
    while (bits != 0) {
      sys::ReplaceBy(null, static_cast<int>(word * kBits) + __builtin_ctzll(bits));
      bits &= bits - 1;
    }
  }
  if (null >= 0) sys::Close(null);
}

// Before main, since a fork() may come before the first use of ferry.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, AfterForkInChild);

bool IsTracked(int fd) { return fd >= 0 && static_cast<size_t>(fd) < kMaxDescriptors; }

}  // namespace

ForkMark::ForkMark() : made_in_(forks.load(std::memory_order_relaxed)) {}

bool ForkMark::IsForked() const { return forks.load(std::memory_order_relaxed) != made_in_; }

absl::Status ForkMark::Refuse(const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat(what,
                   " was made before fork(), and works in the parent process only; make a "
                   "new one in the forked child"));
}

void HideFromForks(int fd) {
  if (!IsTracked(fd)) return;
  size_t word = static_cast<size_t>(fd) / kBits;
  hidden[word].fetch_or(uint64_t{1} << (static_cast<size_t>(fd) % kBits),
                        std::memory_order_relaxed);
  size_t used = words_used.load(std::memory_order_relaxed);
  while (used <= word &&
         !words_used.compare_exchange_weak(used, word + 1, std::memory_order_relaxed)) {
  }
}

void UnhideFromForks(int fd) {
  if (!IsTracked(fd)) return;
  hidden[static_cast<size_t>(fd) / kBits].fetch_and(
      ~(uint64_t{1} << (static_cast<size_t>(fd) % kBits)), std::memory_order_relaxed);
}

}  // namespace ferry::internal
