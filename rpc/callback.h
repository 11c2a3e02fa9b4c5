// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Callback: what an asynchronous call does when it has ended.
//
//   GreetReply reply;  // outlives the call
//   stub.Greet(request, &reply, [&](absl::Status status) { … });
//   stub.Greet(request, [](absl::StatusOr<GreetReply> reply) { … });
//
// It runs once, whatever happens, on a thread of the channel (ChannelOptions::async), and under no
// lock of ferry's. It may call, start calls, and wait: one that takes longer than a few ms is
// passed by, and others run on other threads meanwhile, up to ChannelOptions::max_threads.

#ifndef FERRY_RPC_CALLBACK_H_
#define FERRY_RPC_CALLBACK_H_

#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ferry {

// Made of what can be called with the outcome. Small ones (two pointers) allocate nothing. There is
// no empty one, so that `{}` in a call is its options. Thread contract: thread-compatible.
template <typename Outcome>
class CallbackWith {
 public:
  template <typename F, std::enable_if_t<std::is_invocable_v<F&, Outcome> &&
                                             !std::is_same_v<std::decay_t<F>, CallbackWith>,
                                         int> = 0>
  CallbackWith(F&& run) : run_(std::forward<F>(run)) {}  // NOLINT: as std::function does

  void operator()(Outcome outcome) { run_(std::move(outcome)); }

 private:
  absl::AnyInvocable<void(Outcome)> run_;
};

using Callback = CallbackWith<absl::Status>;

template <typename Reply>
using ReplyCallback = CallbackWith<absl::StatusOr<Reply>>;

}  // namespace ferry

#endif  // FERRY_RPC_CALLBACK_H_
