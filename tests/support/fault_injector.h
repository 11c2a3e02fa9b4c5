// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_SUPPORT_FAULT_INJECTOR_H_
#define FERRY_TESTS_SUPPORT_FAULT_INJECTOR_H_

#include <algorithm>
#include <atomic>

#include "ferry/transport/internal/sys.h"

namespace ferry::test {

// Lets the k-th system call of one kind fail, or each one come up short, for as long as
// it lives. Thread-safe.
class FaultInjector final : public internal::sys::FaultHook {
 public:
  using Call = internal::sys::Call;

  static FaultInjector Fail(Call call, int kth, int error) { return {call, kth, error, 0}; }
  static FaultInjector Shorten(Call call, size_t length) { return {call, 0, 0, length}; }

  ~FaultInjector() override { internal::sys::SetFaultHook(nullptr); }
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  // Whether the k-th call has come.
  bool fired() const { return seen_.load() >= kth_ && kth_ != 0; }

  int Before(Call call, size_t& length) override {
    if (call != call_) return 0;
    if (length_ != 0) length = std::min(length, length_);
    return ++seen_ == kth_ ? error_ : 0;
  }

 private:
  FaultInjector(Call call, int kth, int error, size_t length)
      : call_(call), kth_(kth), error_(error), length_(length) {
    internal::sys::SetFaultHook(this);
  }

  const Call call_;
  const int kth_;
  const int error_;
  const size_t length_;
  std::atomic<int> seen_{0};
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_FAULT_INJECTOR_H_
