// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/channel_core.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {

namespace {

absl::Status Closed() { return absl::CancelledError("the channel was closed"); }

// There may be nobody to connect to again.
ChannelOptions WithWhatIsPossible(const std::optional<Address>& address, ChannelOptions options) {
  options.stream_credit = SaneStreamCredit(options.stream_credit);
  if (!address.has_value() || address->scheme == "stdio" ||
      (address->scheme == "exec" && options.restart == Restart::kNever)) {
    options.reconnect = Reconnect::kNever;
  }
  return options;
}

// The mutex of a channel's connections is the channel's, which clang cannot know.
bool BeginOn(Caller& caller, PendingCall& call) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return caller.Begin(call);
}
void EnterOn(Caller& caller) ABSL_NO_THREAD_SAFETY_ANALYSIS { caller.Enter(); }
void LeaveOn(Caller& caller) ABSL_NO_THREAD_SAFETY_ANALYSIS { caller.Leave(); }
bool IsInUse(Connection& connection) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return connection.caller().is_in_use();
}
absl::Status RefusalOf(Connection& connection) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return connection.caller().refusal();
}

}  // namespace

ChannelCore::ChannelCore(std::optional<Address> address, const ChannelOptions& options)
    : ChannelBase(SaneStreamCredit(options.stream_credit), options.interceptors),
      address_(std::move(address)),
      options_(WithWhatIsPossible(address_, options)),
      events_(options.on_event, address_.has_value() ? address_->text : std::string()),
      backoff_(options.max_backoff),
      restarts_(options.restart_limit, options.restart_window) {}

ChannelCore::~ChannelCore() {
  // In a forked child they are not there to be joined.
  if (thread_.joinable()) thread_.detach();
  if (IsForked()) server_.release();  // NOLINT: left alone, with its threads
}

// Before the first connection.
absl::Status ChannelCore::ReadyServices() {
  if (options_.services.empty() && !options_.async && !options_.in_loop) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<ChannelServer>> server = ChannelServer::Create(options_);
  if (server.ok()) server_ = *std::move(server);
  return server.status();
}

absl::Status ChannelCore::Adopt(std::unique_ptr<Transport> transport, Deadline deadline) {
  if (absl::Status ready = ReadyServices(); !ready.ok()) return ready;
  absl::StatusOr<ConnectionToPeer> made =
      GreetOn(std::move(transport), options_, deadline, shared_mutex_, server_.get());
  if (!made.ok()) return made.status();
  {
    MutexLock lock(mutex_);
    Take(*std::move(made));
  }
  events_.Deliver();
  return absl::OkStatus();
}

Caller* ChannelCore::Begin(PendingCall& call, std::shared_ptr<void>&) {
  MutexLock lock(mutex_);
  if (current_ == nullptr || !BeginOn(current_->caller(), call)) return nullptr;
  return &current_->caller();
}

int ChannelCore::wait_handle() {
  return server_ != nullptr && server_->is_in_loop() ? server_->wait_handle() : -1;
}

void ChannelCore::Dispatch() {
  std::shared_ptr<ChannelCore> keeps_itself = self();  // a callback may drop the last handle
  if (server_ != nullptr && server_->is_in_loop()) server_->Dispatch();
}

absl::Status ChannelCore::MayCallAsync() const {
  if (server_ != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the channel has no thread for callbacks; connect with ChannelOptions::async");
}

void ChannelCore::RunOnPool(absl::AnyInvocable<void()> run) {
  if (server_ == nullptr || IsForked()) return run();
  server_->RunOnPool(std::move(run));
}

Peer ChannelCore::peer() {
  MutexLock lock(mutex_);
  return peer_;
}

void ChannelCore::Take(ConnectionToPeer made) {
  peer_ = made.connection->peer();
  child_ = std::move(made.child);
  lost_ = absl::OkStatus();
  connected_at_ = std::chrono::steady_clock::now();
  current_ = std::move(made.connection);
  events_.Push(ferry::Event::Type::kConnected, peer_, absl::OkStatus());
}

// The connection opens no calls any more; those that are open go on.
void ChannelCore::Retire() {
  if (current_ == nullptr) return;
  lost_ = RefusalOf(*current_);
  if (lost_.ok()) return;
  bool has_ended = !current_->close_reason().ok();
  events_.Push(has_ended ? ferry::Event::Type::kClosed : ferry::Event::Type::kDraining,
               current_->peer(), lost_);
  retired_.push_back({std::move(current_), has_ended});
  has_news_.store(true);
  if (has_ended) end_wait_.Nudge();  // a child's process may live on
  if (child_ == nullptr) return;
  if (HasJustConnected()) {
    backoff_.Fail();  // one that ends as soon as it is started
  } else {
    backoff_.Succeed();
  }
}

// The connection, or the one before, has not lasted.
bool ChannelCore::HasJustConnected() {
  auto age = std::chrono::steady_clock::now() - connected_at_;
  return absl::FromChrono(age) < options_.max_backoff;
}

void ChannelCore::AfterCall(const absl::Status& status) {
  if (absl::IsCancelled(status) || absl::IsDeadlineExceeded(status)) SendAllRests();
  AfterCall();
}

// Something about the connection is not as it was.
void ChannelCore::AfterCall() {
  {
    MutexLock lock(mutex_);
    Retire();
  }
  if (has_news()) Reap();
  events_.Deliver();
}

// Destroys the connections that no call uses.
void ChannelCore::Reap() {
  std::vector<Retired> unused;
  MutexLock lock(mutex_);
  auto used = std::stable_partition(retired_.begin(), retired_.end(), [](const Retired& retired) {
    return !IsInUse(*retired.connection);
  });
  for (auto it = retired_.begin(); it != used; ++it) {
    if (it->is_told_closed) continue;
    events_.Push(ferry::Event::Type::kClosed, it->connection->peer(),
                 it->connection->close_reason());
  }
  unused.assign(std::make_move_iterator(retired_.begin()), std::make_move_iterator(used));
  retired_.erase(retired_.begin(), used);
  has_news_.store(!retired_.empty());
  MutexUnlock unlock(mutex_);
  unused.clear();
}

// While it is pinned the connection stays.
Connection* ChannelCore::Pin() {
  MutexLock lock(mutex_);
  if (current_ != nullptr) EnterOn(current_->caller());
  return current_.get();
}

// The current one, and those whose last calls go on.
std::vector<Connection*> ChannelCore::PinAll() {
  std::vector<Connection*> all;
  MutexLock lock(mutex_);
  if (current_ != nullptr) all.push_back(current_.get());
  for (const Retired& retired : retired_) all.push_back(retired.connection.get());
  for (Connection* connection : all) EnterOn(connection->caller());
  return all;
}

void ChannelCore::Unpin(Connection& connection) {
  MutexLock lock(mutex_);
  LeaveOn(connection.caller());
}

void ChannelCore::AfterStream(Caller& caller) {
  if (IsForked()) return;
  SendRest(caller);
  {
    MutexLock lock(mutex_);
    LeaveOn(caller);
  }
  AfterCall();
}

// On a thread of its own.
void ChannelCore::SendRest(Caller& caller) {
  if (!caller.has_rest()) return;
  {
    MutexLock lock(mutex_);
    if (std::exchange(sends_rest_, true)) return;
    EnterOn(caller);
  }
  auto send = [self = self(), &caller] {
    {
      MutexLock lock(self->mutex_);
      self->rest_thread_ = std::this_thread::get_id();
    }
    caller.SendRest();
    {
      MutexLock lock(self->mutex_);
      self->sends_rest_ = false;
      LeaveOn(caller);
      self->changed_.NotifyAll();
    }
    self->AfterCall();
  };
  absl::StatusOr<std::thread> thread = StartThread(send);
  if (thread.ok()) return thread->detach();
  MutexLock lock(mutex_);  // it leaves with the next call
  sends_rest_ = false;
  LeaveOn(caller);
}

// The thread that sends it has nothing to wait for any more.
void ChannelCore::AwaitRest() {
  {
    MutexLock lock(mutex_);
    while (sends_rest_ && rest_thread_ != std::this_thread::get_id()) changed_.Wait(mutex_);
  }
  Reap();
}

void ChannelCore::SendAllRests() {
  for (Connection* connection : PinAll()) {
    SendRest(connection->caller());
    Unpin(*connection);
  }
}

void ChannelCore::Close() {
  if (IsForked()) return;
  std::shared_ptr<ChannelCore> keeps_itself = self();
  {
    MutexLock lock(mutex_);
    final_ = Closed();
    changed_.NotifyAll();
  }
  end_wait_.Stop();
  for (Connection* connection : PinAll()) {
    connection->Close(Closed());
    Unpin(*connection);
  }
  AfterCall();
}

// Handlers have returned then, but on the thread of one: that goes on, with what it needs.
void ChannelCore::StopServing() {
  if (server_ == nullptr) return;
  if (!server_->IsOnThisThread()) return server_->Stop();
  absl::StatusOr<std::thread> thread = StartThread([core = self()] { core->server_->Stop(); });
  if (thread.ok()) return thread->detach();
  new std::shared_ptr<ChannelCore>(self());  // nobody can wait for this thread, so all of it stays
}

void ChannelCore::Abandon() {
  if (IsForked()) return;
  Close();
  AwaitRest();
  StopServing();
  events_.End();
  if (!thread_.joinable()) return;
  MutexLock lock(mutex_);
  if (is_connecting_ || thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();  // it holds what it needs
    return;
  }
  MutexUnlock unlock(mutex_);
  thread_.join();
}

}  // namespace ferry::internal
