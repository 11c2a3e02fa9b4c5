// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FIBER_H_
#define FERRY_BENCH_FIBER_H_

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace ferry::bench {

// A second stack for the thread that creates it. Thread contract: owned by that thread.
class Fiber {
 public:
  // `body` first runs at SwitchIn.
  explicit Fiber(std::function<void()> body)
      : body_(std::move(body)), stack_(std::make_unique<char[]>(kStackSize)) {
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = kStackSize;
    inside_.uc_link = &outside_;
    makecontext(&inside_, &Fiber::Run, 0);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the body until it calls SwitchOut or returns. REQUIRES: it has not returned.
  void SwitchIn() {
    current_ = this;
    swapcontext(&outside_, &inside_);
  }
  // REQUIRES: called by the body.
  void SwitchOut() { swapcontext(&inside_, &outside_); }

 private:
  static constexpr size_t kStackSize = 256 * 1024;

  static void Run() { current_->body_(); }

  static inline thread_local Fiber* current_ = nullptr;
  const std::function<void()> body_;
  const std::unique_ptr<char[]> stack_;
  ucontext_t inside_;
  ucontext_t outside_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FIBER_H_
