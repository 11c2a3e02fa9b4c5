// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/server.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry {

using internal::Mutex;
using internal::MutexLock;
using internal::Session;

namespace {

// Leads a new session on a spare thread.
class FirstLead final : public internal::WorkerPool::Task {
 public:
  explicit FirstLead(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  void Run() override { session_->LeadFirst(); }

 private:
  const std::shared_ptr<Session> session_;
};

// How a connection ended, for those who served nothing but it.
absl::Status OutcomeOfOnly(const absl::Status& close_reason, const std::string& peer) {
  if (absl::IsUnavailable(close_reason) || absl::IsCancelled(close_reason)) {
    return absl::OkStatus();  // the usual ends: the peer went, or Shutdown
  }
  return absl::Status(close_reason.code(), absl::StrCat(peer, ": ", close_reason.message()));
}

}  // namespace

// Thread contract: that of Server.
class Server::State {
 public:
  explicit State(const ServerOptions& options)
      : options_(options), pool_(std::max<size_t>(options.max_threads, 1) - 1) {}

  void Register(Service& service) {
    if (registered_.ok()) registered_ = registry_.Add(service);
  }

  absl::Status Serve(const std::string& text) {
    if (fork_mark_.IsForked()) return internal::ForkMark::Refuse("the server");
    if (!registered_.ok()) return registered_;
    absl::StatusOr<Address> address = Address::Parse(text);
    if (!address.ok()) return address.status();
    absl::StatusOr<std::shared_ptr<Listener>> listener = Listen(*address);
    if (!listener.ok()) return listener.status();
    {
      MutexLock lock(mutex_);
      if (shut_down_) return absl::OkStatus();
      listeners_.push_back(*listener);
    }
    absl::Status served =
        (*listener)->accepts_once() ? ServeOnly(**listener) : ServeAll(**listener);
    MutexLock lock(mutex_);
    listeners_.erase(std::remove(listeners_.begin(), listeners_.end(), *listener),
                     listeners_.end());
    return served;
  }

  bool IsForked() const { return fork_mark_.IsForked(); }

  void Shutdown() {
    if (IsForked()) return;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::vector<std::shared_ptr<Session>> sessions;
    {
      MutexLock lock(mutex_);
      shut_down_ = true;
      listeners = std::move(listeners_);
      sessions = sessions_;
    }
    for (const auto& listener : listeners) listener->Close();
    for (const auto& session : sessions) {
      session->Close(absl::CancelledError("the server was shut down"));
    }
  }

 private:
  // One connection, led by this thread.
  absl::Status ServeOnly(Listener& listener) {
    absl::StatusOr<std::unique_ptr<Transport>> transport = listener.Accept();
    if (!transport.ok()) return transport.status();
    std::string peer = (*transport)->peer().description;
    std::shared_ptr<Session> session = AddSession(*std::move(transport));
    if (session == nullptr) return absl::OkStatus();
    session->LeadFirst();
    pool_.WorkUntil([&session] { return session->ended(); });
    return OutcomeOfOnly(session->AwaitEnd(), peer);
  }

  // Any number of connections, each led by a spare thread.
  absl::Status ServeAll(Listener& listener) {
    for (;;) {
      absl::StatusOr<std::unique_ptr<Transport>> transport = listener.Accept();
      if (!transport.ok()) {
        AwaitSessions();
        return absl::IsCancelled(transport.status()) ? absl::OkStatus() : transport.status();
      }
      std::shared_ptr<Session> session = AddSession(*std::move(transport));
      if (session == nullptr || pool_.TryRun(std::make_shared<FirstLead>(session))) continue;
      session->Close(absl::ResourceExhaustedError("no thread is left for another connection"));
      session->LeadFirst();  // ends at once
    }
  }

  // Null after Shutdown.
  std::shared_ptr<Session> AddSession(std::unique_ptr<Transport> transport) {
    auto session =
        std::make_shared<Session>(std::move(transport), options_.max_message, registry_, pool_);
    MutexLock lock(mutex_);
    if (shut_down_) return nullptr;
    sessions_.erase(std::remove_if(sessions_.begin(), sessions_.end(),
                                   [](const auto& old) { return old->ended(); }),
                    sessions_.end());
    sessions_.push_back(session);
    return session;
  }

  void AwaitSessions() {
    std::vector<std::shared_ptr<Session>> sessions;
    {
      MutexLock lock(mutex_);
      sessions = std::move(sessions_);
    }
    for (const auto& session : sessions) session->AwaitEnd().IgnoreError();
  }

  const ServerOptions options_;
  const internal::ForkMark fork_mark_;
  internal::ServiceRegistry registry_;  // constant once Serve runs
  absl::Status registered_;

  Mutex mutex_;
  std::vector<std::shared_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;

  // Last, so that its threads end before what they use.
  internal::WorkerPool pool_;
};

Server::Server(const ServerOptions& options) : state_(new State(options)) {}

Server::~Server() {
  if (state_->IsForked()) return;  // its threads are not there to be waited for
  Shutdown();
  delete state_;
}

void Server::Register(Service& service) { state_->Register(service); }
absl::Status Server::Serve(std::string_view address) { return state_->Serve(std::string(address)); }
void Server::Shutdown() { state_->Shutdown(); }

}  // namespace ferry
