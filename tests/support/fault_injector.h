// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_SUPPORT_FAULT_INJECTOR_H_
#define FERRY_TESTS_SUPPORT_FAULT_INJECTOR_H_

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "ferry/transport/internal/sys.h"

namespace ferry::test {

// Lets the k-th system call of one kind fail, or every one, or each one come up short, for
// as long as it lives; so do those that live longer. Thread-safe, but not to be made or
// destroyed while a call runs.
class FaultInjector final : public internal::sys::FaultHook {
 public:
  using Call = internal::sys::Call;

  static FaultInjector Fail(Call call, int kth, int error) { return {call, kth, error, 0}; }
  static FaultInjector FailAll(Call call, int error) { return {call, kAll, error, 0}; }
  static FaultInjector Shorten(Call call, size_t length) { return {call, 0, 0, length}; }

  ~FaultInjector() override { internal::sys::SetFaultHook(latest_ = outer_); }
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  // Whether the k-th call has come.
  bool fired() const { return seen_.load() >= kth_ && kth_ > 0; }

  int Before(Call call, size_t& length) override {
    if (int error = outer_ == nullptr ? 0 : outer_->Before(call, length)) return error;
    bool of_event = length == sizeof(uint64_t) && error_ != EINTR;
    if (call != call_ || of_event) return 0;
    if (length_ != 0) length = std::min(length, length_);
    return ++seen_ == kth_ || kth_ == kAll ? error_ : 0;
  }

 private:
  static constexpr int kAll = -1;

  FaultInjector(Call call, int kth, int error, size_t length)
      : call_(call),
        kth_(kth),
        error_(error),
        length_(length),
        outer_(std::exchange(latest_, this)) {
    internal::sys::SetFaultHook(this);
  }

  static inline FaultInjector* latest_ = nullptr;

  const Call call_;
  const int kth_;
  const int error_;
  const size_t length_;
  FaultInjector* const outer_;
  std::atomic<int> seen_{0};
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_FAULT_INJECTOR_H_
