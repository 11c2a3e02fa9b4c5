// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Answer: what a handler leaves for later, so that the call takes no thread meanwhile.
//
//   absl::Status Sail(ferry::ServerContext& context, const Trip& request, Log& reply) override {
//     ferry::Answer<Log> answer = ferry::AnswerLater(context, reply);
//     crew_.Start(request, [answer = std::move(answer)]() mutable {
//       answer.reply().set_text("arrived");
//       answer.Finish();
//     });
//     return absl::OkStatus();  // goes nowhere
//   }

#ifndef FERRY_RPC_ANSWER_H_
#define FERRY_RPC_ANSWER_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ferry/rpc/internal/call_origin.h"
#include "ferry/rpc/metadata.h"
#include "ferry/rpc/server_context.h"
#include "ferry/transport/deadline.h"

namespace ferry {

// Owes the client of a unary call its outcome; one that goes away without Finish ends the call with
// INTERNAL. The call counts as one whose handler runs: for ServerOptions::max_requests, and for the
// grace of a shutdown. Once that is over nobody waits for it: Finish does nothing then, also when
// the server is gone. Thread contract: thread-compatible, but for IsCancelled: on any thread.
template <typename Reply>
class Answer {
 public:
  // For AnswerLater.
  explicit Answer(std::shared_ptr<internal::OpenCall> call) : call_(std::move(call)) {}
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&& other) noexcept {
    Drop();
    call_ = std::move(other.call_);
    reply_ = std::move(other.reply_);
    return *this;
  }
  ~Answer() { Drop(); }

  // What Finish sends.
  Reply& reply() { return *reply_; }

  // Once: with the reply when the status is OK.
  void Finish(const absl::Status& status = absl::OkStatus()) {
    if (call_ == nullptr) return;
    call_->Reply(status, reply_.get());
    call_.reset();
  }

  // As those of ServerContext. REQUIRES: before Finish, and not moved from.
  bool IsCancelled() const { return call_->origin().IsCancelled(); }
  void OnCancel(std::function<void()> callback) { call_->origin().OnCancel(std::move(callback)); }
  Deadline deadline() const { return call_->origin().deadline(); }
  const Metadata& metadata() const { return call_->origin().metadata(); }
  Metadata& initial_metadata() { return call_->origin().initial_metadata(); }
  Metadata& trailing_metadata() { return call_->origin().trailing_metadata(); }

 private:
  void Drop() {
    if (call_ != nullptr) Finish(absl::InternalError("the server dropped the call unanswered"));
  }

  std::shared_ptr<internal::OpenCall> call_;
  std::unique_ptr<Reply> reply_ = std::make_unique<Reply>();
};

// In a handler, once; `reply` is the handler's own, and says what is owed. What the handler
// returns, its reply and its context mean nothing afterwards.
template <typename Reply>
Answer<Reply> AnswerLater(ServerContext& context, const Reply& /*reply*/) {
  return Answer<Reply>(context.Keep());
}

}  // namespace ferry

#endif  // FERRY_RPC_ANSWER_H_
