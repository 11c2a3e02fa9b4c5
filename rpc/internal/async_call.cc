// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/async_call.h"

#include <new>
#include <utility>

#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/own_status.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

AsyncCall::AsyncCall(ChannelBase& channel, const Method& method, const MessageLite& request,
                     MessageLite& reply, Callback& done)
    : channel_(channel.shared_from_this()),
      call_(method, &request, request.ByteSizeLong(), &reply),
      done_(std::move(done)) {
  call_.completion = this;
}

AsyncCall& AsyncCall::New(ChannelBase& channel, const Method& method, const MessageLite& request,
                          MessageLite& reply, Callback& done) {
  return *new (channel.memory().Take(sizeof(AsyncCall)))
      AsyncCall(channel, method, request, reply, done);
}

void AsyncCall::Start(Caller& caller, std::shared_ptr<void> hold, Cancellation* cancellation) {
  caller_ = &caller;
  hold_ = std::move(hold);
  if (cancellation != nullptr) {
    call_.cancellation = &registration_;
    if (!registration_.Begin(cancellation, *this)) caller.Cancel(call_);
  }
  absl::Status sent = caller.StartAsync(call_);
  if (!sent.ok()) {
    // The connection may be gone; whoever has ended the call meanwhile has left that to this
    // thread.
    return channel_->RunOnPool([this, why = OwnCopy(sent)] { Deliver(why); });
  }
  if (state_.exchange(State::kSent) != State::kEnded || caller.beside()->RunSoon(*this)) return;
  // Not in here, once the connection has ended meanwhile.
  channel_->RunOnPool([this, session = session()->shared_from_this()] { Run(); });
}

Callback AsyncCall::Drop() {
  std::shared_ptr<ChannelBase> channel = std::move(channel_);
  Callback done = std::move(done_);
  this->~AsyncCall();
  channel->memory().Give(this);
  return done;
}

void AsyncCall::OnEnded() {
  if (TakeOver()) caller_->beside()->RunSoon(*this);
}

Session* AsyncCall::session() { return &caller_->beside()->session(); }

// The session stays: who runs this holds it.
void AsyncCall::Run() {
  Session& session = *this->session();
  registration_.End();
  absl::Status status = caller_->FinishAsync(call_);
  session.RunCallback([&] { Deliver(status); });
}

void AsyncCall::Deliver(const absl::Status& status) {
  channel_->AfterAsync(status);
  Callback done = Drop();  // so that a call that it makes takes the place of this one
  done(status);
}

}  // namespace ferry::internal
