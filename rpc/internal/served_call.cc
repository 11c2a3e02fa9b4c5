// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/served_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/method_name.h"

namespace ferry::internal {

using google::protobuf::MessageLite;
using Clock = std::chrono::steady_clock;

namespace {

// "That or more", which only the caller keeps.
constexpr uint32_t kLongestDeadline = 0xffffffff;

// The call whose callback this thread runs.
thread_local ServedCall* running_callback_of = nullptr;

Deadline DeadlineOf(const FrameHeader& header) {
  if (header.arg == 0 || header.arg == kLongestDeadline) return kNoDeadline;
  return Clock::now() + std::chrono::microseconds(header.arg);
}

}  // namespace

ServedCall::ServedCall(Session& session, const ServiceRegistry::Entry& entry,
                       const FrameHeader& header, Body& body, Metadata* metadata, uint32_t cost)
    : IncomingCall(*entry.method->method, *this),
      session_(session),
      entry_(entry),
      id_(header.call),
      flags_(header.flags),
      deadline_(DeadlineOf(header)),
      cost_(cost),
      body_(body) {
  if (metadata != nullptr) metadata_ = std::make_unique<const Metadata>(std::move(*metadata));
}

ServedCall::ServedCall(ServedCall& from, Body& body)
    : IncomingCall(*from.entry_.method->method, *this),
      session_(from.session_),
      entry_(from.entry_),
      id_(from.id_),
      flags_(from.flags_),
      deadline_(from.deadline_),
      cost_(0),
      body_(body),
      metadata_(std::move(from.metadata_)),
      extras_(std::move(from.extras_)),
      initial_metadata_(std::move(from.initial_metadata_)),
      sent_initial_(from.sent_initial_),
      state_(from.state_.exchange(State::kReplied)) {
  MutexLock lock(session_.mutex_);
  if (from.shared_ != nullptr) from.AwaitCallback();
  cancelled_.store(from.cancelled_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  shared_ = std::move(from.shared_);
  if (shared_ != nullptr && shared_->is_registered) session_.calls_[id_.index()] = this;
}

// One that was queued may never have run.
ServedCall::~ServedCall() {
  if (shared_ == nullptr || !shared_->is_registered || session_.connection_.IsForked()) return;
  MutexLock lock(session_.mutex_);
  Unregister();
}

absl::Status ServedCall::TooLate() {
  return absl::DeadlineExceededError("the deadline has passed on the server");
}

void ServedCall::Serve() {
  leader_ = &Lane::Leader::Current();
  entry_.method->serve(*entry_.service, *this);
  EndHandler();
}

void ServedCall::Refuse(const absl::Status& why) {
  leader_ = &Lane::Leader::Current();
  Reply(why, nullptr);
  session_.OnRefused(why);
  EndHandler();
}

bool ServedCall::ReadRequest(MessageLite& request) {
  if ((flags_ & (kFlagEnd | kFlagEmpty)) != kFlagEnd) {
    body_.Release();
    Reply(absl::UnimplementedError(
              absl::StrCat(NameOf(*entry_.method->method), " takes exactly one request")),
          nullptr);
    return false;
  }
  bool parsed = ParseMessage(body_.data(), body_.size(), request);
  body_.Release();
  if (parsed) return BeginHandler();
  Reply(absl::InvalidArgumentError(absl::StrCat(NameOf(*entry_.method->method), ": request of ",
                                                body_.size(), " bytes is not a valid ",
                                                request.GetTypeName())),
        nullptr);
  return false;
}

bool ServedCall::BeginStream() {
  bool has_first = (flags_ & kFlagEmpty) == 0;
  Assembly first;
  if (has_first) first = body_.Take();
  body_.Release();
  if (first.dropped()) {
    Reply(absl::ResourceExhaustedError(
              absl::StrCat("no memory for a message of ", body_.size(), " bytes")),
          nullptr);
    return false;
  }
  ShareNow();
  {
    MutexLock lock(session_.mutex_);
    shared_->first = std::move(first);
    shared_->has_first = has_first;
    shared_->no_more = shared_->no_more || (flags_ & kFlagEnd) != 0;
  }
  return BeginHandler();
}

bool ServedCall::is_one_way() const {
  return (flags_ & kFlagOneWay) != 0 || entry_.method->method->shape == CallShape::kOneWay;
}

bool ServedCall::BeginHandler() {
  if (cancelled_.load(std::memory_order_relaxed)) return false;
  if (leader_->leads()) session_.inline_call_.store(this, std::memory_order_relaxed);
  in_handler_ = true;
  bool is_blocking = entry_.method->method->execution == Execution::kBlocking;
  bool is_slow = entry_.pace->is_slow();
  if (!is_blocking && is_slow) measured_from_ = Clock::now();
  leader_->Push(*this);
  if (!leader_->EnterHandler(session_, *entry_.pace, is_blocking || is_slow)) return false;
  if (is_one_way()) SendAnswer(absl::OkStatus(), nullptr);
  if (!session_.entrance_->options.interceptors.empty() && !MayRun()) return false;
  if (leader_->is_cautious()) leader_->PassOn();
  return true;
}

// Of a slow method, from the handler's beginning or its last wait for ferry.
void ServedCall::NoteRun() {
  if (measured_from_ != Clock::time_point()) entry_.pace->Took(Clock::now() - measured_from_);
  measured_from_ = Clock::time_point();
}

// The leader is the only one to see this call, as long as it leads and the call is not shared.
void ServedCall::EndHandler() {
  if (is_intercepted()) {
    absl::Status none;  // of a one-way call
    TellAnswer(none);
  }
  NoteRun();
  if (in_handler_) leader_->Pop();
  if (session_.connection_.IsForked()) return;  // it is the parent's, and so are its locks
  if (in_handler_) leader_->LeaveHandler();
  bool leads = leader_->leads();
  if (leads) session_.inline_call_.store(nullptr, std::memory_order_relaxed);
  if (!leads || state_.load(std::memory_order_acquire) == State::kShared) {
    MutexLock lock(session_.mutex_);
    if (session_.inline_call_.load(std::memory_order_relaxed) == this) {
      session_.inline_call_.store(nullptr, std::memory_order_relaxed);
    }
    Unregister();
    if (shared_ != nullptr) AwaitCallback();
  }
  if (!leads) session_.Attach();
}

void ServedCall::ShareNow() {
  if (state_.load(std::memory_order_acquire) != State::kInline) return;
  uint32_t credit;
  {
    MutexLock lock(session_.mutex_);
    credit = Share();
  }
  session_.connection_.GiveCredit(credit);
}

uint32_t ServedCall::Share() {
  if (session_.inline_call_.load(std::memory_order_relaxed) == this) {
    session_.inline_call_.store(nullptr, std::memory_order_relaxed);
  }
  State state = State::kInline;
  if (!state_.compare_exchange_strong(state, State::kShared)) return 0;
  shared_ = std::make_unique<Shared>(SaneStreamCredit(session_.entrance_->options.stream_credit));
  shared_->credit.Start(session_.peer_stream_credit_);
  Register();
  return cost_;
}

void ServedCall::Register() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (session_.has_ended_) {
    cancelled_.store(true, std::memory_order_relaxed);
    shared_->ended = true;
    return;
  }
  shared_->is_registered = true;
  session_.calls_[id_.index()] = this;
  session_.open_calls_.store(session_.calls_.size(), std::memory_order_relaxed);
  session_.next_deadline_ = std::min(session_.next_deadline_, deadline_);
}

void ServedCall::Unregister() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (shared_ == nullptr || !std::exchange(shared_->is_registered, false)) return;
  session_.held_bytes_ -= shared_->inbox.bytes();
  shared_->inbox.Clear();
  session_.calls_.erase(id_.index());
  session_.open_calls_.store(session_.calls_.size(), std::memory_order_relaxed);
}

ServedCall::Ending ServedCall::EndEarly(const absl::Status& status, bool tells_peer) {
  Ending ending{id_, absl::OkStatus(), nullptr, nullptr, nullptr, nullptr};
  if (IsOver()) return ending;
  cancelled_.store(true, std::memory_order_relaxed);
  if (tells_peer && shared_->sending != 0) {
    shared_->owed = status;
  } else {
    shared_->ended = true;
    Unregister();
    if (tells_peer) ending.status = status;
  }
  if (shared_->reads != nullptr) shared_->reads->Tell();
  if (shared_->writes != nullptr) shared_->writes->Tell();
  ending.turns = ClaimTurns();
  if (shared_->on_cancel) {
    ending.callback = std::exchange(shared_->on_cancel, nullptr);
    ending.of_callback = this;
    ending.owner = shared_->owner.lock();
    shared_->callback_runs = true;
  }
  return ending;
}

void ServedCall::Finish(Session& session, std::vector<Ending>& endings) {
  for (Ending& ending : endings) {
    if (!ending.status.ok()) session.connection_.ReplyError(ending.call, ending.status, 0);
    if (ending.turns != nullptr) ending.turns->RunSoon();
    if (!ending.callback) continue;
    ServedCall* outer = std::exchange(running_callback_of, ending.of_callback);
    ending.callback();
    ending.callback = nullptr;
    running_callback_of = outer;
    MutexLock lock(session.mutex_);
    ending.of_callback->shared_->callback_runs = false;
    session.callback_done_.NotifyAll();
  }
}

// REQUIRES: the session's lock. Does not wait for itself.
void ServedCall::AwaitCallback() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  while (shared_->callback_runs && running_callback_of != this) {
    session_.callback_done_.Wait(session_.mutex_);
  }
}

// Until the request has left this call is not answered, so that the peer knows it then.
std::optional<uint16_t> ServedCall::BeginNested(const Caller& caller) {
  if (&caller != &session_.connection_.caller()) return std::nullopt;
  ShareNow();
  MutexLock lock(session_.mutex_);
  if (shared_ == nullptr || IsOver()) return 0;
  ++shared_->sending;
  return static_cast<uint16_t>(id_.index() + 1);
}

void ServedCall::EndNested() { EndSending(absl::OkStatus()); }

std::shared_ptr<ChannelBase> ServedCall::channel() { return session_.channel(); }

bool ServedCall::IsCancelled() const {
  return cancelled_.load(std::memory_order_relaxed) || session_.is_gone() || HasPassed(deadline_);
}

void ServedCall::OnCancel(std::function<void()> callback) {
  ShareNow();
  {
    MutexLock lock(session_.mutex_);
    if (shared_ == nullptr) return;  // nobody waits: it is a one-way call
    AwaitCallback();
    if (!cancelled_.load(std::memory_order_relaxed)) {
      // An end without that is the one of a one-way call, which nobody cancels.
      if (!shared_->ended) shared_->on_cancel.swap(callback);
      return;
    }
  }
  if (callback) callback();
}

}  // namespace ferry::internal
