// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/async_stream.h"

#include <utility>

#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/own_status.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

std::shared_ptr<AsyncStream> AsyncStream::Create(ChannelBase& channel, const Method& method,
                                                 const MessageLite* request, MessageLite* reply,
                                                 size_t stream_credit, StreamReactor& reactor) {
  auto stream =
      std::make_shared<AsyncStream>(channel, method, request, reply, stream_credit, reactor);
  stream->self_ = stream;
  reactor.Begin(stream);
  return stream;
}

AsyncStream::AsyncStream(ChannelBase& channel, const Method& method, const MessageLite* request,
                         MessageLite* reply, size_t stream_credit, StreamReactor& reactor)
    : channel_(channel.shared_from_this()),
      reactor_(reactor),
      state_(stream_credit),
      call_(method, request, request == nullptr ? 0 : request->ByteSizeLong(), reply) {
  state_.is_sending = false;
  state_.no_more = request != nullptr;
  state_.turns = this;
  call_.stream = &state_;
  call_.completion = this;
}

void AsyncStream::Start(Caller& caller, std::shared_ptr<void> hold, Cancellation* cancellation) {
  caller_ = &caller;
  hold_ = std::move(hold);
  if (cancellation != nullptr) {
    call_.cancellation = &registration_;
    if (!registration_.Begin(cancellation, *this)) caller.CancelEvents(call_);
  }
  absl::Status sent = caller.StartAsync(call_);
  if (!sent.ok()) {
    // The connection may be gone.
    return channel_->RunOnPool([this, why = OwnCopy(sent)] { Fail(why); });
  }
  unsigned wishes = wishes_.load();
  do {
    caller.SetReads(call_, (wishes & kPause) == 0);
  } while (!wishes_.compare_exchange_weak(wishes, wishes | kBegun));
  if ((wishes & kEndWrites) != 0) caller.EndWrites(call_);
  if ((wishes & kCancel) != 0) caller.CancelEvents(call_);
  if ((wishes & kWrite) != 0) caller.WantRoom(call_);
  // Not in here, once the connection has ended meanwhile.
  bool runs = BeginTurns() || (wishes != kNoWish && Claim());
  if (runs && !reader().RunSoon(*this)) channel_->RunOnPool([this] { Run(); });
}

void AsyncStream::Fail(const absl::Status& why) {
  CloseToUsers();  // there are none but such as wish, and do not touch the connection
  End(why);
}

bool AsyncStream::Wishes(unsigned wish, bool is_wanted) {
  unsigned wishes = wishes_.load();
  do {
    if ((wishes & kBegun) != 0) return false;
  } while (!wishes_.compare_exchange_weak(wishes, is_wanted ? wishes | wish : wishes & ~wish));
  return true;
}

bool AsyncStream::Write(const MessageLite& message) {
  if (Wishes(kWrite) || !EnterUnlessForked()) return false;
  bool written = caller_->WriteNow(call_, message);
  LeaveUser();
  return written;
}

void AsyncStream::WritesDone() {
  if (Wishes(kEndWrites) || !EnterUnlessForked()) return;
  caller_->EndWrites(call_);
  LeaveUser();
}

void AsyncStream::PauseReads(bool pause) {
  if (Wishes(kPause, pause) || !EnterUnlessForked()) return;
  caller_->SetReads(call_, !pause);
  if (!pause && Claim()) Turns::RunSoon();
  LeaveUser();
}

void AsyncStream::Cancel() {
  if (Wishes(kCancel)) return wait_.Cancel();
  if (!EnterUnlessForked()) return;
  caller_->CancelAndForget(call_);
  if (Claim()) Turns::RunSoon();
  LeaveUser();
}

void AsyncStream::OnEnded() {
  if (Claim()) reader().RunSoon(*this);
}

Session* AsyncStream::session() { return &caller_->beside()->session(); }

Turns::Step AsyncStream::Next() {
  switch (caller_->NextEvent(call_, reactor_.Incoming())) {
    case Caller::Event::kMessage:
      reactor_.OnIncoming();
      return Step::kTold;
    case Caller::Event::kRoom:
      reactor_.OnWritable();
      return Step::kTold;
    case Caller::Event::kEnd:
      if (!CloseToUsers()) return Step::kNothing;
      End(caller_->FinishEvents(call_));
      return Step::kOver;
    case Caller::Event::kNone:
      break;
  }
  return Step::kNothing;
}

void AsyncStream::End(const absl::Status& status) {
  std::shared_ptr<AsyncStream> self = std::move(self_);
  std::shared_ptr<ChannelBase> channel = std::move(channel_);
  channel->AfterAsync(status);
  channel.reset();
  hold_.reset();
  reactor_.OnOver(status);
}

}  // namespace ferry::internal
