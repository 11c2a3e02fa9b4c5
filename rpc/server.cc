// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/server.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/config.h"
#include "ferry/rpc/internal/hello.h"
#include "ferry/rpc/internal/server_lane.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/sole_lane.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/wait_set.h"

namespace ferry {

using internal::Lane;
using internal::Mutex;
using internal::MutexLock;
using internal::ServerLane;
using internal::Session;
using internal::SoleLane;

namespace {

// How a connection ended that was the server's last.
absl::Status OutcomeOfLast(const absl::Status& close_reason, const std::string& peer) {
  if (absl::IsUnavailable(close_reason) || absl::IsCancelled(close_reason)) {
    return absl::OkStatus();  // the usual ends: the peer went, or Shutdown
  }
  return absl::Status(close_reason.code(), absl::StrCat(peer, close_reason.message()));
}

}  // namespace

// Thread contract: that of Server.
class Server::State {
 public:
  explicit State(const ServerOptions& options)
      : options_(options), pool_(std::max<size_t>(options.max_threads, 1) - 1) {
    if (!options_.admit) options_.admit = AdmitOwnUserAndRoot;
  }

  void Register(Service& service) {
    if (registered_.ok()) registered_ = registry_.Add(service);
  }

  absl::Status Listen(const std::string& text) {
    if (fork_mark_.IsForked()) return internal::ForkMark::Refuse("the server");
    absl::StatusOr<Address> address = internal::ResolveAddress(text, options_.config_file);
    if (!address.ok()) return address.status();
    absl::StatusOr<std::unique_ptr<Listener>> listener = ferry::Listen(*address);
    if (!listener.ok()) return listener.status();
    listeners_.push_back(*std::move(listener));
    return absl::OkStatus();
  }

  absl::Status Serve() {
    if (fork_mark_.IsForked()) return internal::ForkMark::Refuse("the server");
    std::vector<std::unique_ptr<Listener>> listeners = std::move(listeners_);
    listeners_.clear();
    if (!registered_.ok()) return registered_;
    if (listeners.empty()) {
      return absl::FailedPreconditionError("the server has no address to listen at");
    }
    if (listeners.size() == 1 && listeners[0]->accepts_once()) return ServeOnly(*listeners[0]);
    return ServeAll(std::move(listeners));
  }

  bool IsForked() const { return fork_mark_.IsForked(); }

  void Shutdown() {
    if (IsForked()) return;
    std::function<void()> end;
    {
      MutexLock lock(mutex_);
      shut_down_ = true;
      end = end_;
    }
    if (end) end();
  }

 private:
  absl::Status ServeOnly(Listener& listener) {
    absl::StatusOr<std::unique_ptr<Transport>> transport = listener.TryAccept();
    if (!transport.ok()) return transport.status();
    absl::Status admitted = options_.admit((*transport)->peer());
    if (!admitted.ok()) {
      internal::Refuse(**transport, admitted);
      return admitted;
    }
    std::string peer = absl::StrCat((*transport)->peer().description, ": ");
    auto session =
        std::make_shared<Session>(*std::move(transport), ConnectionSettings(), registry_);
    Lead(std::make_shared<SoleLane>(pool_, supervisor_, session), [session] {
      session->connection().Close(absl::CancelledError("the server was shut down"));
    });
    return OutcomeOfLast(session->connection().close_reason(), peer);
  }

  absl::Status ServeAll(std::vector<std::unique_ptr<Listener>> listeners) {
    absl::StatusOr<std::unique_ptr<WaitSet>> set = WaitSet::Create();
    if (!set.ok()) return set.status();
    ServerLane::Limits limits = {ConnectionSettings(), options_.max_connections,
                                 options_.handshake_timeout, options_.admit};
    auto lane =
        std::make_shared<ServerLane>(pool_, supervisor_, registry_, limits, *std::move(set));
    for (std::unique_ptr<Listener>& listener : listeners) {
      if (absl::Status added = lane->Add(std::move(listener)); !added.ok()) return added;
    }
    Lead(lane, [lane] { lane->Shutdown(); });
    return OutcomeOfLast(lane->outcome(), "");
  }

  internal::ConnectionOptions ConnectionSettings() const {
    internal::ConnectionOptions settings;
    settings.max_message = options_.max_message;
    settings.request_credit = options_.request_credit;
    return settings;
  }

  // Until the lane has ended, by itself or through `end`, which is safe on any thread.
  void Lead(const std::shared_ptr<Lane>& lane, const std::function<void()>& end) {
    bool shut_down;
    {
      MutexLock lock(mutex_);
      shut_down = shut_down_;
      end_ = end;
    }
    if (shut_down) end();
    supervisor_.Add(lane);
    lane->LeadFirst();
    pool_.WorkUntil([&lane] { return lane->ended(); });
    supervisor_.Remove(*lane);
    MutexLock lock(mutex_);
    end_ = nullptr;
  }

  ServerOptions options_;  // constant
  const internal::ForkMark fork_mark_;
  // Constant once Serve runs.
  internal::ServiceRegistry registry_;
  absl::Status registered_;
  std::vector<std::unique_ptr<Listener>> listeners_;

  Mutex mutex_;
  std::function<void()> end_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;

  // Last, so that their threads end before what they use.
  internal::WorkerPool pool_;
  internal::Supervisor supervisor_;
};

Server::Server(const ServerOptions& options) : state_(new State(options)) {}

Server::~Server() {
  if (state_->IsForked()) return;  // its threads are not there to be waited for
  Shutdown();
  delete state_;
}

void Server::Register(Service& service) { state_->Register(service); }
absl::Status Server::Listen(std::string_view address) {
  return state_->Listen(std::string(address));
}
absl::Status Server::Serve() { return state_->Serve(); }
absl::Status Server::Serve(std::string_view address) {
  absl::Status listens = Listen(address);
  return listens.ok() ? Serve() : listens;
}
void Server::Shutdown(absl::Duration) { state_->Shutdown(); }

}  // namespace ferry
