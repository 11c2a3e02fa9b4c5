// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The open calls of a session that more than one thread has to do with.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/metadata_codec.h"
#include "ferry/rpc/internal/served_call.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {
namespace {

// Callbacks belong to themselves.
std::shared_ptr<QueuedRequest> NotOwned(QueuedRequest& callback) {
  return std::shared_ptr<QueuedRequest>(std::shared_ptr<void>(), &callback);
}

}  // namespace

// A request that waits for a thread, with what was promised for it.
class Session::QueuedCall final : public QueuedRequest {
 public:
  QueuedCall(std::shared_ptr<Session> session, const ServiceRegistry::Entry& entry,
             const FrameHeader& header, Assembly bytes, Metadata* metadata, uint32_t cost)
      : session_(std::move(session)),
        bytes_(std::move(bytes)),
        memory_(cost + sizeof(*this) + (metadata == nullptr ? 0 : OverheadOf(*metadata))),
        body_(bytes_),
        call_(*session_, entry, header, body_, metadata, cost) {
    MutexLock lock(session_->mutex_);
    credit_ = call_.Share();
    session_->held_bytes_ += memory_;
  }

  ~QueuedCall() override {
    {
      MutexLock lock(session_->mutex_);
      session_->held_bytes_ -= memory_;
    }
    session_->connection_.GiveCredit(credit_);  // of one that never ran
  }

  Session* session() override { return session_.get(); }

  void Run() override {
    if (!Lane::Leader::Current().leads()) session_->Detach();
    session_->connection_.GiveCredit(std::exchange(credit_, 0));
    if (Leadership::depth() >= kMaxNesting) {
      call_.Refuse(TooDeep());
    } else if (session_->free_handlers_.load() < 0) {
      call_.Refuse(session_->TooManyRequests());
    } else {
      call_.Serve();
    }
  }

 private:
  const std::shared_ptr<Session> session_;
  Assembly bytes_;
  const size_t memory_;
  Body body_;
  ServedCall call_;
  uint32_t credit_ = 0;
};

std::shared_ptr<QueuedRequest> Session::Keep(const ServiceRegistry::Entry& entry,
                                             const FrameHeader& header, Body& body,
                                             Metadata* metadata, uint32_t cost) {
  Assembly bytes = body.Take();
  bool fits = !bytes.dropped();
  {
    MutexLock lock(mutex_);
    fits = fits && held_bytes_ + bytes.size() <= entrance_->options.max_connection_memory;
  }
  if (!fits) {
    absl::Status status = absl::ResourceExhaustedError(
        absl::StrCat("more than ", entrance_->options.max_connection_memory,
                     " bytes of requests and messages wait (max_connection_memory)"));
    connection_.ReplyError(header.call, status, cost);
    OnRefused(status);
    return nullptr;
  }
  return std::make_shared<QueuedCall>(shared_from_this(), entry, header, std::move(bytes), metadata,
                                      cost);
}

// On the thread that waits for the call in which it is nested, if there is one.
bool Session::ServeNested(const ServiceRegistry::Entry& entry, const FrameHeader& header,
                          Body& body, Metadata* metadata, uint32_t cost) {
  Caller& caller = connection_.caller();
  const uint32_t parent = header.aux - 1u;
  switch (caller.WhoWaitsFor(parent)) {
    case Caller::Waiting::kNobody:
      return false;
    case Caller::Waiting::kThisThread: {
      DirectRead* direct = std::exchange(direct_, nullptr);
      ServedCall call(*this, entry, header, body, metadata, cost);
      if (Leadership::depth() < kMaxNesting) {
        call.Serve();
      } else {
        call.Refuse(TooDeep());
      }
      if (Lane::Leader::Current().leads()) direct_ = direct;
      return true;
    }
    case Caller::Waiting::kAnotherThread:
      break;
  }
  std::shared_ptr<QueuedRequest> request = Keep(entry, header, body, metadata, cost);
  if (request != nullptr && !caller.AddNested(parent, request)) {
    Lane::Leader::Current().Queue(std::move(request));  // it waits no more
  }
  return true;
}

absl::Status Session::TooDeep() {
  return absl::ResourceExhaustedError(
      absl::StrCat(kMaxNesting, " handlers run nested in each other, and more are not allowed"));
}

// The thread may be in a handler of this lane, which then goes on to lead, or else in another's,
// or in none.
void Session::AwaitBeside(HandlerWait& wait, Deadline deadline) {
  std::shared_ptr<Lane> lane = lane_.lock();
  Lane::Leader* leader = lane == nullptr ? nullptr : Lane::Leader::CurrentOf(lane.get());
  if (leader != nullptr && leader->has_own()) return leader->Await(*this, wait, deadline, nullptr);
  Leadership::PassOnBeforeWait();
  if (lane == nullptr) return wait.Sleep(deadline);
  lane->Visit(*this, wait, deadline);
}

void Session::RunNestedBeside(HandlerWait& wait) {
  std::shared_ptr<Lane> lane = lane_.lock();
  if (lane == nullptr) return;
  Lane::Leader* leader = Lane::Leader::CurrentOf(lane.get());
  if (leader != nullptr && leader->has_own()) return leader->RunNested(wait);
  lane->RunNestedOfVisit(*this, wait);
}

void Session::HandedOver() {
  Detach();
  uint32_t credit = 0;
  {
    MutexLock lock(mutex_);
    // Its handler goes on, and may end it only behind this lock.
    ServedCall* call = inline_call_.load(std::memory_order_relaxed);
    if (call != nullptr) credit = call->Share();
  }
  connection_.GiveCredit(credit);
}

void Session::RunNow(QueuedRequest& callback) {
  Lane::Leader& leader = Lane::Leader::Current();
  if (leader.waits()) return leader.Queue(NotOwned(callback));
  auto goes_on = [&leader] { return leader.keeps_lead(); };
  Sender::Cork cork(connection_.sender(), goes_on);
  callback.Run();
}

bool Session::RunSoon(QueuedRequest& callback) {
  std::shared_ptr<Lane> lane = lane_.lock();
  return lane != nullptr && lane->RunSoonUnlessEnded(NotOwned(callback));
}

void Session::RunCallback(absl::FunctionRef<void()> callback) {
  // A thread that leads it keeps it, or runs something for it.
  Lane::Leader* leader = lane_.expired() ? nullptr : Lane::Leader::CurrentOf(lane_address_);
  if (leader == nullptr) return callback();
  leader->RunCallback(*this, callback_pace_, callback);
}

bool Session::IsInUse(CallId call) {
  MutexLock lock(mutex_);
  return calls_.contains(call.index());
}

ServedCall* Session::Find(CallId call) {
  auto found = calls_.find(call.index());
  return found == calls_.end() || found->second->id() != call ? nullptr : found->second;
}

void Session::EndEarly(CallId id, const absl::Status& status) {
  std::vector<ServedCall::Ending> endings;
  {
    MutexLock lock(mutex_);
    if (ServedCall* call = Find(id)) endings.push_back(call->EndEarly(status, true));
  }
  ServedCall::Finish(*this, endings);
}

void Session::OnMessage(const FrameHeader& header, Body& body) {
  if (direct_ != nullptr && direct_->call == header.call && !direct_->is_filled &&
      (header.flags & kFlagEnd) == 0 && body.size() <= entrance_->options.max_message) {
    direct_->size = body.size();
    direct_->is_valid = ParseMessage(body.data(), body.size(), direct_->message);
    direct_->is_filled = true;
    direct_->wait.Note();
    return;
  }
  bool is_empty = (header.flags & kFlagEmpty) != 0;
  Assembly message;
  if (!is_empty) message = body.Take();
  body.Release();  // a callback may read on
  std::vector<ServedCall::Ending> endings;
  Turns* turns = nullptr;
  {
    MutexLock lock(mutex_);
    ServedCall* call = Find(header.call);
    if (call == nullptr) return;
    absl::Status added = call->AddMessage(header, is_empty, std::move(message));
    if (!added.ok()) endings.push_back(call->EndEarly(added, true));
    turns = call->ClaimTurns();
  }
  ServedCall::Finish(*this, endings);
  if (turns != nullptr) turns->RunOnReader();
}

void Session::OnTooLarge(CallId call, const absl::Status& status) { EndEarly(call, status); }

void Session::OnCancel(CallId call) {
  EndEarly(call, absl::CancelledError("the caller cancelled it"));
}

void Session::OnStreamCredit(CallId id, uint32_t bytes) {
  Turns* turns = nullptr;
  {
    MutexLock lock(mutex_);
    ServedCall* call = Find(id);
    if (call == nullptr) return;
    call->AddCredit(bytes);
    turns = call->ClaimTurns();
  }
  if (turns != nullptr) turns->RunOnReader();
}

void Session::CancelAll() {
  if (connection_.IsForked()) return;  // the lock may be held, by a thread that is not here
  std::vector<ServedCall::Ending> endings;
  {
    MutexLock lock(mutex_);
    if (std::exchange(has_ended_, true)) return;
    std::vector<ServedCall*> calls;
    for (const auto& [index, call] : calls_) calls.push_back(call);
    for (ServedCall* call : calls) {
      endings.push_back(call->EndEarly(absl::CancelledError("the caller has gone"), false));
    }
  }
  ServedCall::Finish(*this, endings);
}

Deadline Session::next_deadline() {
  if (open_calls_.load(std::memory_order_relaxed) == 0) return kNoDeadline;
  MutexLock lock(mutex_);
  return next_deadline_;
}

Deadline Session::ExpireCalls() {
  std::vector<ServedCall::Ending> endings;
  Deadline next = kNoDeadline;
  {
    MutexLock lock(mutex_);
    std::vector<ServedCall*> late;
    for (const auto& [index, call] : calls_) {
      if (HasPassed(call->deadline())) {
        late.push_back(call);
      } else {
        next = std::min(next, call->deadline());
      }
    }
    for (ServedCall* call : late) {
      endings.push_back(call->EndEarly(ServedCall::TooLate(), true));
    }
    next_deadline_ = next;
  }
  ServedCall::Finish(*this, endings);
  connection_.caller().ExpireAsync();
  return std::min(next, connection_.caller().async_deadline());
}

}  // namespace ferry::internal
