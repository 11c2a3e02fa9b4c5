// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How a call that is served is answered, now or later, and who sees that.

#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/interceptor.h"
#include "ferry/rpc/internal/kept_call.h"
#include "ferry/rpc/internal/served_call.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

// The interceptors, from the first on; they see the answer of each that lets it pass.
bool ServedCall::MayRun() {
  absl::Status may;
  for (ServerInterceptor* interceptor : session_.entrance_->options.interceptors) {
    void* state = nullptr;
    may = interceptor->OnCall(context(), state);
    if (!may.ok()) break;
    extras().interceptors.push_back(state);
  }
  if (!may.ok()) Reply(may, nullptr);
  return may.ok();
}

void ServedCall::TellAnswer(absl::Status& status) {
  const auto& all = session_.entrance_->options.interceptors;
  std::vector<void*>& states = extras().interceptors;
  while (!states.empty()) {
    void* state = states.back();
    states.pop_back();
    all[states.size()]->OnAnswer(context(), state, status);
  }
}

void ServedCall::Reply(const absl::Status& status, const MessageLite* reply) {
  if (!is_intercepted()) return SendAnswer(status, reply);
  absl::Status answer = status;
  TellAnswer(answer);
  SendAnswer(answer, reply);
}

void ServedCall::SendAnswer(const absl::Status& status, const MessageLite* reply) {
  if (session_.connection_.IsForked()) return;
  State state = State::kInline;
  if (state_.compare_exchange_strong(state, State::kReplied)) {
    return SendReply(status, reply, cost_);
  }
  if (state == State::kReplied) return;
  {
    MutexLock lock(session_.mutex_);
    AwaitOthers();
    if (std::exchange(shared_->ended, true)) return;
    Unregister();
  }
  SendReply(status, reply, 0);
}

void ServedCall::SendReply(const absl::Status& status, const MessageLite* reply, uint32_t credit) {
  absl::Status sent;
  if (extras_ != nullptr || initial_metadata_ != nullptr) sent = SendLastMetadata();
  session_.connection_.Reply(id_, sent.ok() ? status : sent, reply, credit);
}

const Metadata& ServedCall::metadata() const {
  static const auto& none = *new Metadata;
  return metadata_ == nullptr ? none : *metadata_;
}

// Unless it has been sent, or there is none.
absl::Status ServedCall::SendInitial() {
  if (std::exchange(sent_initial_, true) || initial_metadata_ == nullptr ||
      initial_metadata_->empty()) {
    return absl::OkStatus();
  }
  return SendMetadata(*initial_metadata_, 0);
}

absl::Status ServedCall::SendLastMetadata() {
  absl::Status sent = SendInitial();
  if (sent.ok() && extras_ != nullptr && !extras_->trailing_metadata.empty()) {
    sent = SendMetadata(extras_->trailing_metadata, kFlagTrailing);
  }
  return sent;
}

absl::Status ServedCall::SendMetadata(const Metadata& metadata, uint8_t flags) {
  absl::Status sent = metadata.Validate();
  if (sent.ok()) sent = session_.connection_.SendMetadata(id_, metadata, flags);
  if (sent.ok() || absl::IsUnavailable(sent)) return sent;
  return absl::InternalError(absl::StrCat("the handler's ", sent.message()));
}

void ServedCall::set_owner(std::weak_ptr<void> owner) {
  MutexLock lock(session_.mutex_);
  if (shared_ != nullptr) shared_->owner = std::move(owner);
}

std::shared_ptr<OpenCall> ServedCall::Keep() {
  ShareNow();
  return KeptCall::Create(session_, *this);
}

}  // namespace ferry::internal
