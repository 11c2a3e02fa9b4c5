// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/server.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
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
  ~State() {
    if (loop_lane_ != nullptr && !loop_lane_->ended()) {
      loop_lane_->EndNow();
      while (loop_lane_->Dispatch() || !loop_lane_->ended()) std::this_thread::yield();
    }
    pool_->Stop();
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
    if (absl::Status may = MayServe(reached_at); !may.ok()) return may;
    if (reached_at.size() == 1 && reached_at[0].listener->accepts_once()) {
      return ServeOnly(reached_at[0]);
    }
    return ServeAll(std::move(reached_at));
  }

  absl::Status Start() {
    if (fork_mark_.IsForked()) return internal::ForkMark::Refuse("the server");
    std::vector<ReachedAt> reached_at = std::move(reached_at_);
    reached_at_.clear();
    if (absl::Status may = MayServe(reached_at); !may.ok()) return may;
    absl::StatusOr<std::unique_ptr<WaitSet>> set = WaitSet::Create();
    if (!set.ok()) return set.status();
    absl::Status watched = (*set)->Watch(shutdown_.fd(), WaitSet::Until::kReadable, kShutdownAsked);
    if (!watched.ok()) return watched;
    supervisor_.Disable();
    auto lane = std::make_shared<ServerLane>(std::make_shared<internal::WorkerPool>(0), supervisor_,
                                             registry_, options_.max_connections, *std::move(set));
    for (ReachedAt& at : reached_at) {
      absl::Status added = lane->Add(std::move(at.listener), std::move(at.entrance));
      if (!added.ok()) return added;
    }
    lane->LeaveToLoop();
    loop_lane_ = std::move(lane);
    return absl::OkStatus();
  }

  int wait_handle() const { return loop_lane_ == nullptr ? -1 : loop_lane_->wait_handle(); }

  bool Dispatch() {
    if (loop_lane_ == nullptr || fork_mark_.IsForked()) return false;
    if (shutdown_.asked()) loop_lane_->set_tick(StepDrain());
    if (loop_lane_->Dispatch()) return true;
    return !loop_lane_->ended();
  }

  absl::Status outcome() const {
    if (loop_lane_ == nullptr || !loop_lane_->ended()) return absl::OkStatus();
    return OutcomeOfLast(loop_lane_->outcome(), "");
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

  absl::Status MayServe(const std::vector<ReachedAt>& reached_at) const {
    if (!registered_.ok()) return registered_;
    if (!shutdown_opened_.ok()) return shutdown_opened_;
    if (!reached_at.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError("the server has no address to listen at");
  }

  // What is left of the shutdown; answers when it goes on at the latest.
  Deadline StepDrain() {
    if (!std::exchange(drains_, true)) {
      loop_lane_->set()->Unwatch(shutdown_.fd());
      internal::BeginDrain(*loop_lane_);
    }
    if (internal::SayGoodbye(*loop_lane_) || HasPassed(shutdown_.deadline())) {
      loop_lane_->EndNow();
      return kNoDeadline;
    }
    return std::min(shutdown_.deadline(), DeadlineAfter(internal::kDrainTick));
  }

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

  static constexpr WaitSet::Id kShutdownAsked = WaitSet::kFirstId;  // which no connection has

  internal::ShutdownRequest shutdown_;
  const absl::Status shutdown_opened_;

  // Of the thread that dispatches.
  bool drains_ = false;
  std::shared_ptr<ServerLane> loop_lane_;

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
absl::Status Server::Start() { return state_->Start(); }
int Server::wait_handle() const { return state_->wait_handle(); }
bool Server::Dispatch() { return state_->Dispatch(); }
absl::Status Server::outcome() const { return state_->outcome(); }
void Server::Shutdown(absl::Duration grace) { state_->Shutdown(grace); }

}  // namespace ferry
