// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/channel_server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "ferry/rpc/internal/run_once.h"
#include "ferry/rpc/internal/sole_lane.h"

namespace ferry::internal {
namespace {

// The first thread of a lane.
class FirstTurn final : public WorkerPool::Task {
 public:
  explicit FirstTurn(std::shared_ptr<Lane> lane) : lane_(std::move(lane)) {}
  void Run() override { lane_->LeadFirst(); }

 private:
  const std::shared_ptr<Lane> lane_;
};

}  // namespace

ChannelServer::ChannelServer(const ChannelOptions& options)
    : entrance_(std::make_shared<Entrance>()),
      pool_(std::make_shared<WorkerPool>(
          // One more connects for asynchronous calls.
          options.in_loop ? 0 : std::max<size_t>(options.max_threads, 1) + options.async)),
      most_connecting_(std::max<size_t>(options.max_threads + options.async, 2) - 1) {
  entrance_->options.max_message = options.max_message;
  entrance_->options.stream_credit = options.stream_credit;
  entrance_->options.interceptors = options.service_interceptors;
}

absl::StatusOr<std::unique_ptr<ChannelServer>> ChannelServer::Create(
    const ChannelOptions& options) {
  if (options.keepalive != absl::InfiniteDuration()) {
    return absl::UnimplementedError(
        "a channel with services, or async, has no keepalive: one of both must go");
  }
  std::unique_ptr<ChannelServer> server(new ChannelServer(options));
  for (Service* service : options.services) {
    if (absl::Status added = server->registry_.Add(*service); !added.ok()) return added;
  }
  if (options.in_loop) {
    if (absl::Status made = server->MakeLoopLane(); !made.ok()) return made;
  }
  return server;
}

absl::Status ChannelServer::MakeLoopLane() {
  absl::StatusOr<std::unique_ptr<WaitSet>> set = WaitSet::Create();
  if (!set.ok()) return set.status();
  supervisor_.Disable();
  loop_lane_ = std::make_shared<ServerLane>(pool_, supervisor_, registry_, 0, *std::move(set));
  loop_lane_->LeaveToLoop();
  MutexLock lock(mutex_);
  lanes_.push_back(loop_lane_);
  return absl::OkStatus();
}

std::shared_ptr<Session> ChannelServer::Open(std::unique_ptr<Transport> transport,
                                             const ConnectionOptions& settings,
                                             const std::shared_ptr<Mutex>& mutex) {
  ConnectionOptions serving = settings;
  serving.request_credit = entrance_->options.request_credit;
  serving.max_memory = entrance_->options.max_connection_memory;
  uint64_t id = is_in_loop() ? loop_lane_->NewId() : 0;
  auto session =
      std::make_shared<Session>(std::move(transport), entrance_, registry_, id, serving, mutex);
  session->set_interrupted();
  if (is_in_loop()) session->set_lane(loop_lane_, loop_lane_->set());
  return session;
}

void ChannelServer::RunOnPool(absl::AnyInvocable<void()> run) {
  auto once = std::make_shared<RunOnce>(std::move(run));
  bool runs = is_in_loop() ? loop_lane_->RunSoonUnlessEnded(once) : pool_->RunUnlessStopped(once);
  if (!runs) once->RunHere();
}

void ChannelServer::RunToConnect(absl::AnyInvocable<void()> run) {
  {
    MutexLock lock(mutex_);
    if (connecting_ == most_connecting_) return to_connect_.push_back(std::move(run));
    ++connecting_;
  }
  RunOnPool([this, run = std::move(run)]() mutable { ConnectAll(std::move(run)); });
}

// It, and then those that have waited for its thread meanwhile.
void ChannelServer::ConnectAll(absl::AnyInvocable<void()> first) {
  absl::AnyInvocable<void()> next = std::move(first);
  for (;;) {
    next();
    next = nullptr;  // without the lock
    MutexLock lock(mutex_);
    if (to_connect_.empty()) {
      --connecting_;
      return;
    }
    next = std::move(to_connect_.front());
    to_connect_.pop_front();
  }
}

absl::Status ChannelServer::Start(const std::shared_ptr<Session>& session) {
  if (is_in_loop()) return loop_lane_->Join(session);
  std::shared_ptr<Lane> lane = SoleLane::Create(pool_, supervisor_, session);
  std::vector<std::shared_ptr<Lane>> ended;  // destroyed without the lock
  {
    MutexLock lock(mutex_);
    auto last = std::partition(lanes_.begin(), lanes_.end(),
                               [](const auto& each) { return !each->ended(); });
    ended.assign(last, lanes_.end());
    lanes_.erase(last, lanes_.end());
  }
  for (const auto& each : ended) supervisor_.Remove(*each);
  {
    MutexLock lock(mutex_);
    lanes_.push_back(lane);
  }
  supervisor_.Add(lane);
  if (pool_->Run(std::make_shared<FirstTurn>(lane))) return absl::OkStatus();
  // It is led, to its end, as soon as there is a thread.
  absl::Status none =
      absl::ResourceExhaustedError("there is no thread left to read the connection");
  session->Close(none);
  return none;
}

std::vector<std::shared_ptr<Lane>> ChannelServer::Lanes() {
  MutexLock lock(mutex_);
  return lanes_;
}

bool ChannelServer::IsOnThisThread() {
  if (pool_->IsOnThisThread()) return true;
  std::vector<std::shared_ptr<Lane>> lanes = Lanes();
  return std::any_of(lanes.begin(), lanes.end(),
                     [](const auto& lane) { return lane->IsOnThisThread(); });
}

void ChannelServer::Stop() {
  if (is_in_loop()) {
    loop_lane_->EndNow();
    while (loop_lane_->Dispatch() || !loop_lane_->ended()) std::this_thread::yield();
    return pool_->Stop();
  }
  for (const std::shared_ptr<Lane>& lane : Lanes()) {
    pool_->WorkUntil([&lane] { return lane->ended(); });
    supervisor_.Remove(*lane);
  }
  pool_->Stop();
}

}  // namespace ferry::internal
