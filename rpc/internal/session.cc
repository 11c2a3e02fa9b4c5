// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/executed_request.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/lane_leader.h"
#include "ferry/rpc/internal/peer_channel.h"
#include "ferry/rpc/internal/served_call.h"

namespace ferry::internal {
namespace {

ConnectionOptions SettingsOf(const ServerOptions& options) {
  ConnectionOptions settings;
  settings.max_message = options.max_message;
  settings.request_credit = options.request_credit;
  settings.stream_credit = options.stream_credit;
  settings.max_memory = options.max_connection_memory;
  return settings;
}

}  // namespace

Session::Session(std::unique_ptr<Transport> transport, std::shared_ptr<const Entrance> entrance,
                 const ServiceRegistry& registry, uint64_t id)
    : registry_(registry),
      entrance_(std::move(entrance)),
      id_(id),
      max_handlers_(static_cast<int64_t>(
          std::min(entrance_->options.max_requests, static_cast<size_t>(INT64_MAX)))),
      free_handlers_(max_handlers_),
      connection_(std::move(transport), Connection::Side::kAccepted, SettingsOf(entrance_->options),
                  this) {}

Session::Session(std::unique_ptr<Transport> transport, std::shared_ptr<const Entrance> entrance,
                 const ServiceRegistry& registry, uint64_t id, const ConnectionOptions& settings,
                 std::shared_ptr<Mutex> mutex)
    : registry_(registry),
      entrance_(std::move(entrance)),
      id_(id),
      is_ours_(true),
      callers_mutex_(std::move(mutex)),
      max_handlers_(INT64_MAX),
      free_handlers_(max_handlers_),
      connection_(std::move(transport), Connection::Side::kConnected, settings, this,
                  callers_mutex_.get()) {}

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

Session::~Session() = default;

std::shared_ptr<ChannelBase> Session::channel() {
  set_interrupted();
  MutexLock lock(mutex_);
  if (channel_ == nullptr) {
    channel_ =
        std::make_shared<PeerChannel>(weak_from_this(), entrance_->options.stream_credit, peer());
  }
  return channel_;
}

Connection::Step Session::HandleNext() {
  Connection::Step step = connection_.HandleNext();
  if (connection_.sender().has_deferred()) {
    // By a handler that has lost the lead, or many: nobody else may look soon.
    bool goes_on = step == Connection::Step::kHandled && Lane::Leader::Current().leads() &&
                   ++deferring_ % kMostDeferred != 0;
    if (!goes_on) connection_.sender().FlushDeferred();
  }
  if (step == Connection::Step::kClosed) {
    CancelAll();
    connection_.caller().FailAll(close_reason());
  }
  return step;
}

void Session::Close(const absl::Status& reason) {
  connection_.Close(reason);
  CancelAll();
}

void Session::OnGreeted(uint64_t stream_credit) {
  peer_stream_credit_ = stream_credit;
  entrance_->Tell(ferry::Event::Type::kConnected, &peer(), absl::OkStatus());
}

void Session::OnRefused(const absl::Status& status) {
  entrance_->Tell(ferry::Event::Type::kLimitReached, &peer(), status);
}

absl::Status Session::TooManyRequests() const {
  return absl::ResourceExhaustedError(
      absl::StrCat("handlers of ", entrance_->options.max_requests,
                   " calls of this connection run, and more are not allowed (max_requests)"));
}

void Session::RefuseCall(CallId call, uint32_t cost) {
  absl::Status status = TooManyRequests();
  connection_.ReplyError(call, status, cost);
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

absl::Status Session::OnRequest(const FrameHeader& header, Body& body, Metadata* metadata,
                                uint32_t cost) {
  if (open_calls_.load(std::memory_order_relaxed) != 0 && IsInUse(header.call)) {
    return UnexpectedFrame(header, "with the id of a call that is open");
  }
  if (!connection_.counts_credit()) cost = 0;
  const ServiceRegistry::Entry* entry = registry_.Find(header.method);
  if (entry == nullptr) {
    connection_.ReplyError(header.call, absl::UnimplementedError(""), cost);
  } else if (free_handlers_.load(std::memory_order_relaxed) <= 0) {
    RefuseCall(header.call, cost);
  } else if (header.aux != 0 && ServeNested(*entry, header, body, metadata, cost)) {
  } else if (entrance_->options.executor) {
    auto request = Keep(*entry, header, body, metadata, cost);
    std::shared_ptr<Lane> lane = this->lane();
    if (request == nullptr || lane == nullptr) return absl::OkStatus();
    set_interrupted();  // from other threads than the lane's
    entrance_->options.executor(ExecutedRequest(std::move(lane), header.call, std::move(request)));
  } else if (Lane::Leader::Current().waits()) {
    aside_.NoteRequest();
    auto request = Keep(*entry, header, body, metadata, cost);
    if (request != nullptr) Lane::Leader::Current().Queue(std::move(request));
  } else {
    if (is_ours_) aside_.NoteRequest();
    Lane::Leader& leader = Lane::Leader::Current();
    auto goes_on = [&leader] { return leader.keeps_lead(); };
    Sender::Cork cork(connection_.sender(), goes_on);
    ServedCall(*this, *entry, header, body, metadata, cost).Serve();
  }
  return absl::OkStatus();
}

}  // namespace ferry::internal
