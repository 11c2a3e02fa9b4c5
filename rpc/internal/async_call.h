// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_ASYNC_CALL_H_
#define FERRY_RPC_INTERNAL_ASYNC_CALL_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "ferry/rpc/callback.h"
#include "ferry/rpc/cancellation.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

class ChannelBase;

// A call that no thread waits for. It is owned by the one that starts it until that has sent the
// request, then by who ends it, and last by who runs the callback; afterwards it is kept for the
// channel's next. Thread contract: owned, as said; OnCancel on any thread.
class AsyncCall final : public Completion, public QueuedRequest, private CancelTarget {
 public:
  // In memory of the channel: see Drop. Takes `done`.
  static AsyncCall& New(ChannelBase& channel, const Method& method,
                        const google::protobuf::MessageLite& request,
                        google::protobuf::MessageLite& reply, Callback& done);

  PendingCall& pending() { return call_; }

  // Sends the request of the call, which has begun on that connection; `hold`: what keeps it.
  void Start(Caller& caller, std::shared_ptr<void> hold, Cancellation* cancellation);
  // In place of that, if there is no connection: what is left of it.
  Callback Drop();

  bool ends_locked() const override {
    return state_.load(std::memory_order_acquire) == State::kSending;
  }
  bool OnReply() override { return TakeOver(); }
  void RunOnReader() override { caller_->beside()->RunNow(*this); }
  void OnEnded() override;

  void Run() override;
  Session* session() override;
  bool is_droppable() const override { return false; }

 private:
  // Who finds the other's mark goes on with it: the end may come before the request is sent. Who
  // ends the call is alone with it once it is sent; the acquire is with who has sent it.
  enum class State : unsigned char { kSending, kSent, kEnded };

  AsyncCall(ChannelBase& channel, const Method& method,
            const google::protobuf::MessageLite& request, google::protobuf::MessageLite& reply,
            Callback& done);

  void OnCancel() override { caller_->Cancel(call_); }
  bool TakeOver() { return !ends_locked() || state_.exchange(State::kEnded) == State::kSent; }
  // To the callback, and nothing of this is left.
  void Deliver(const absl::Status& status);

  std::shared_ptr<ChannelBase> channel_;
  PendingCall call_;
  Callback done_;
  Caller* caller_ = nullptr;
  std::shared_ptr<void> hold_;
  CancelRegistration registration_;
  std::atomic<State> state_{State::kSending};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_ASYNC_CALL_H_
