// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/method_name.h"

namespace ferry::internal {

using google::protobuf::MessageLite;
using Clock = std::chrono::steady_clock;

namespace {

ConnectionOptions SettingsOf(const ServerOptions& options) {
  ConnectionOptions settings;
  settings.max_message = options.max_message;
  settings.request_credit = options.request_credit;
  settings.max_memory = options.max_connection_memory;
  return settings;
}

}  // namespace

// One call that this session serves.
class Session::ServedCall final : public IncomingCall {
 public:
  ServedCall(Session& session, const ServiceRegistry::Entry& entry, CallId id, Body& body)
      : IncomingCall(ServerContext(*entry.method->method, session)),
        session_(session),
        pace_(*entry.pace),
        leader_(Lane::Leader::Current()),
        id_(id),
        body_(body) {}

  bool ReadRequest(MessageLite& request) override {
    bool parsed = request.ParsePartialFromArray(body_.data(), static_cast<int>(body_.size())) &&
                  request.IsInitialized();
    body_.Release();
    if (!parsed) {
      RefuseRequest(request);
      return false;
    }
    in_handler_ = true;
    if (!leader_.EnterHandler(pace_)) return false;
    bool is_blocking = context().method().execution == Execution::kBlocking;
    if (!is_blocking && pace_.is_slow()) measured_from_ = Clock::now();
    if (is_blocking || pace_.is_slow() || leader_.is_cautious()) leader_.PassOn();
    return true;
  }

  void Reply(const absl::Status& status, const MessageLite& reply) override {
    session_.connection_.Reply(id_, status, reply, session_.TakeCredit());
  }

  void Finish() {
    if (measured_from_ != Clock::time_point()) pace_.Took(Clock::now() - measured_from_);
    if (!in_handler_) return;
    leader_.LeaveHandler();
    if (!leader_.leads()) session_.free_handlers_.fetch_add(1, std::memory_order_release);
  }

 private:
  ABSL_ATTRIBUTE_COLD void RefuseRequest(const MessageLite& request) {
    session_.connection_.ReplyError(id_,
                                    absl::InvalidArgumentError(absl::StrCat(
                                        NameOf(context().method()), ": request of ", body_.size(),
                                        " bytes is not a valid ", request.GetTypeName())),
                                    session_.TakeCredit());
  }

  Session& session_;
  MethodPace& pace_;
  Lane::Leader& leader_;
  const CallId id_;
  Body& body_;
  bool in_handler_ = false;
  Clock::time_point measured_from_;
};

Session::Session(std::unique_ptr<Transport> transport, std::shared_ptr<const Entrance> entrance,
                 const ServiceRegistry& registry)
    : registry_(registry),
      entrance_(std::move(entrance)),
      max_handlers_(static_cast<int64_t>(
          std::min(entrance_->options.max_requests, static_cast<size_t>(INT64_MAX)))),
      free_handlers_(max_handlers_),
      connection_(std::move(transport), Connection::Side::kAccepted, SettingsOf(entrance_->options),
                  this) {}

Session::Session(std::unique_ptr<Transport> transport, size_t max_message,
                 const ServiceRegistry& registry)
    : Session(
          std::move(transport),
          [max_message] {
            auto entrance = std::make_shared<Entrance>();
            entrance->options.max_message = max_message;
            return entrance;
          }(),
          registry) {}

void Session::OnGreeted() {
  entrance_->Tell(ferry::Event::Type::kConnected, &peer(), absl::OkStatus());
}

void Session::OnRefused(const absl::Status& status) {
  entrance_->Tell(ferry::Event::Type::kLimitReached, &peer(), status);
}

void Session::RefuseCall(CallId call) {
  absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("handlers of ", entrance_->options.max_requests,
                   " calls of this connection run, and more are not allowed (max_requests)"));
  connection_.ReplyError(call, status, TakeCredit());
  OnRefused(status);
}

void Session::SayGoodbye() {
  Transport& transport = connection_.transport();
  if (is_gone()) return;
  transport.Flush(Deadline::min());  // the reader may sleep where it sees no room
  if (transport.queued() != 0) return;
  if (!std::exchange(said_goodbye_, true)) {
    connection_.SendGoAway(absl::UnavailableError("the server was shut down"));
  }
  if (transport.queued() != 0) return;
  connection_.Close(absl::CancelledError("the server was shut down"));
}

void Session::OnRequest(const FrameHeader& header, Body& body) {
  if (connection_.counts_credit()) {
    in_hand_.store(static_cast<uint32_t>(body.size()), std::memory_order_relaxed);
  }
  const ServiceRegistry::Entry* entry = registry_.Find(header.method);
  if (entry == nullptr) {
    connection_.ReplyError(header.call, absl::UnimplementedError(""), TakeCredit());
    return;
  }
  if (free_handlers_.load(std::memory_order_relaxed) <= 0) return RefuseCall(header.call);
  ServedCall call(*this, *entry, header.call, body);
  entry->method->serve(*entry->service, call);
  call.Finish();
}

}  // namespace ferry::internal
