// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/kept_stream.h"

#include <utility>

#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/lane.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

// Its first turn comes when the handler has returned, or another thread is free.
void KeptStream::Begin(Session& session, ServedCall& call, StreamReactor& reactor) {
  auto stream = std::make_shared<KeptStream>(session, call, reactor);
  stream->self_ = stream;
  reactor.Begin(stream);
  stream->call().set_turns(stream.get());
  stream->RunSoon();
}

KeptStream::KeptStream(Session& session, ServedCall& call, StreamReactor& reactor)
    : kept_(KeptCall::Create(session, call)), reactor_(reactor) {}

bool KeptStream::EnterUnlessForked() {
  if (!EnterUser()) return false;
  return !kept_->session().connection().IsForked();
}

ConnectionReader& KeptStream::reader() { return *kept_->session().connection().caller().beside(); }

bool KeptStream::Write(const MessageLite& message) {
  if (!EnterUnlessForked()) return false;
  bool written = call().WriteNow(message);
  LeaveUser();
  return written;
}

void KeptStream::PauseReads(bool pause) {
  if (!EnterUnlessForked()) return;
  call().SetReads(!pause);
  if (!pause && Claim()) RunSoon();
  LeaveUser();
}

void KeptStream::Finish(const absl::Status& status, const MessageLite* reply) {
  if (!EnterUnlessForked()) return;
  if (!finishes_.exchange(true)) {
    kept_->Reply(status, reply);
    is_finished_.store(true);
    if (Claim()) RunSoon();
  }
  LeaveUser();
}

Turns::Step KeptStream::Next() {
  if (finishes_.load()) {
    if (!is_finished_.load() || !CloseToUsers()) return Step::kNothing;
    End();
    return Step::kOver;
  }
  switch (call().NextEvent(reactor_.Incoming())) {
    case ServedCall::Event::kMessage:
      reactor_.OnIncoming();
      return Step::kTold;
    case ServedCall::Event::kReadsDone:
      reactor_.OnReadsDone();
      return Step::kTold;
    case ServedCall::Event::kRoom:
      reactor_.OnWritable();
      return Step::kTold;
    case ServedCall::Event::kCancelled:
      if (finishes_.load()) break;  // that is its end
      reactor_.OnCancel();
      return Step::kTold;
    case ServedCall::Event::kNone:
      break;
  }
  return Step::kNothing;
}

void KeptStream::End() {
  std::shared_ptr<KeptStream> self = std::move(self_);
  reactor_.OnOver(absl::OkStatus());
  kept_.reset();
}

}  // namespace ferry::internal
