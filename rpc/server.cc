// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/server.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/config.h"
#include "ferry/rpc/internal/drain.h"
#include "ferry/rpc/internal/entrance.h"
#include "ferry/rpc/internal/hello.h"
#include "ferry/rpc/internal/server_lane.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/shutdown_request.h"
#include "ferry/rpc/internal/sole_lane.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/wait_set.h"

namespace ferry {

using internal::Drain;
using internal::Entrance;
using internal::Lane;
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
      : options_(options),
        shutdown_opened_(shutdown_.Open()),
        pool_(
            std::make_shared<internal::WorkerPool>(std::max<size_t>(options.max_threads, 1) - 1)) {
    if (!options_.admit) options_.admit = AdmitOwnUserAndRoot;
  }

  // Their threads end before what they use.
  ~State() { pool_->Stop(); }

  void Register(Service& service) {
    if (registered_.ok()) registered_ = registry_.Add(service);
  }

  absl::Status Listen(const std::string& text) {
    if (fork_mark_.IsForked()) return internal::ForkMark::Refuse("the server");
    absl::StatusOr<Address> address = internal::ResolveAddress(text, options_.config_file);
    if (!address.ok()) return address.status();
    absl::StatusOr<std::unique_ptr<Listener>> listener = ferry::Listen(*address);
    if (!listener.ok()) return listener.status();
    auto entrance = std::make_shared<Entrance>(Entrance{text, options_, false});
    internal::Apply(*address, entrance->options);
    entrance->has_own_limit = address->Find("max_connections") != nullptr;
    reached_at_.push_back({*std::move(listener), std::move(entrance)});
    return absl::OkStatus();
  }

  absl::Status Serve() {
    if (fork_mark_.IsForked()) return internal::ForkMark::Refuse("the server");
    std::vector<ReachedAt> reached_at = std::move(reached_at_);
    reached_at_.clear();
    if (!registered_.ok()) return registered_;
    if (!shutdown_opened_.ok()) return shutdown_opened_;
    if (reached_at.empty()) {
      return absl::FailedPreconditionError("the server has no address to listen at");
    }
    if (reached_at.size() == 1 && reached_at[0].listener->accepts_once()) {
      return ServeOnly(reached_at[0]);
    }
    return ServeAll(std::move(reached_at));
  }

  bool IsForked() const { return fork_mark_.IsForked(); }

  void Shutdown(absl::Duration grace) {
    if (!IsForked()) shutdown_.Ask(grace);
  }

 private:
  struct ReachedAt {
    std::unique_ptr<Listener> listener;
    std::shared_ptr<const Entrance> entrance;
  };

  absl::Status ServeOnly(const ReachedAt& at) {
    absl::StatusOr<std::unique_ptr<Transport>> transport = at.listener->TryAccept();
    if (!transport.ok()) return transport.status();
    absl::Status admitted = at.entrance->options.admit((*transport)->peer());
    if (!admitted.ok()) {
      internal::Refuse(**transport, admitted);
      at.entrance->Tell(Event::Type::kRefused, &(*transport)->peer(), admitted);
      return admitted;
    }
    std::string peer = absl::StrCat((*transport)->peer().description, ": ");
    auto session = std::make_shared<Session>(*std::move(transport), at.entrance, registry_);
    absl::Status led = Lead(SoleLane::Create(pool_, supervisor_, session));
    if (!led.ok()) return led;
    at.entrance->Tell(Event::Type::kClosed, &session->peer(), session->close_reason());
    return OutcomeOfLast(session->close_reason(), peer);
  }

  absl::Status ServeAll(std::vector<ReachedAt> reached_at) {
    absl::StatusOr<std::unique_ptr<WaitSet>> set = WaitSet::Create();
    if (!set.ok()) return set.status();
    auto lane = std::make_shared<ServerLane>(pool_, supervisor_, registry_,
                                             options_.max_connections, *std::move(set));
    for (ReachedAt& at : reached_at) {
      absl::Status added = lane->Add(std::move(at.listener), std::move(at.entrance));
      if (!added.ok()) return added;
    }
    absl::Status led = Lead(lane);
    return led.ok() ? OutcomeOfLast(lane->outcome(), "") : led;
  }

  // Until the lane has ended, by itself or since it was shut down.
  absl::Status Lead(const std::shared_ptr<Lane>& lane) {
    absl::StatusOr<std::unique_ptr<Drain>> drain = Drain::Start(lane, shutdown_);
    if (!drain.ok()) return drain.status();
    supervisor_.Add(lane);
    lane->LeadFirst();
    pool_->WorkUntil([&lane] { return lane->ended(); });
    supervisor_.Remove(*lane);
    return absl::OkStatus();
  }

  ServerOptions options_;  // constant
  const internal::ForkMark fork_mark_;
  // Constant once Serve runs.
  internal::ServiceRegistry registry_;
  absl::Status registered_;
  std::vector<ReachedAt> reached_at_;

  internal::ShutdownRequest shutdown_;
  const absl::Status shutdown_opened_;

  const std::shared_ptr<internal::WorkerPool> pool_;
  internal::Supervisor supervisor_;  // its thread ends before what it uses
};

Server::Server(const ServerOptions& options) : state_(new State(options)) {}

Server::~Server() {
  if (state_->IsForked()) return;  // its threads are not there to be waited for
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
void Server::Shutdown(absl::Duration grace) { state_->Shutdown(grace); }

}  // namespace ferry
