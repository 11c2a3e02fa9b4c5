// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CHANNEL_SERVER_H_
#define FERRY_RPC_INTERNAL_CHANNEL_SERVER_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/entrance.h"
#include "ferry/rpc/internal/server_lane.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Reads the connections of a channel, one after the other, on threads of its own: serves their
// other side, and runs callbacks. Thread contract: thread-safe, but for Stop.
class ChannelServer {
 public:
  // Returns: as said at ChannelOptions::services.
  static absl::StatusOr<std::unique_ptr<ChannelServer>> Create(const ChannelOptions& options);

  // `mutex`: of the connection's calls.
  std::shared_ptr<Session> Open(std::unique_ptr<Transport> transport,
                                const ConnectionOptions& settings,
                                const std::shared_ptr<Mutex>& mutex);

  // For the user's loop; REQUIRES: ChannelOptions::in_loop.
  int wait_handle() const { return loop_lane_->wait_handle(); }
  void Dispatch() { loop_lane_->Dispatch(); }
  bool is_in_loop() const { return loop_lane_ != nullptr; }

  // From now on threads of the channel, or the loop, read it. Returns: RESOURCE_EXHAUSTED when
  // there can be none.
  absl::Status Start(const std::shared_ptr<Session>& session);

  // On a thread of its own.
  void RunOnPool(absl::AnyInvocable<void()> run);
  // The same for what may wait for a connection: it leaves a thread to read that, so that of many
  // some run only when others have.
  void RunToConnect(absl::AnyInvocable<void()> run);

  // This thread runs a handler, or some callback, of one of its connections.
  bool IsOnThisThread();

  // Returns when all handlers have. REQUIRES: not IsOnThisThread, and the connections are closed.
  void Stop();

 private:
  explicit ChannelServer(const ChannelOptions& options);

  std::vector<std::shared_ptr<Lane>> Lanes();
  absl::Status MakeLoopLane();
  void ConnectAll(absl::AnyInvocable<void()> first);

  ServiceRegistry registry_;  // constant
  std::shared_ptr<Entrance> entrance_;
  Supervisor supervisor_;
  const std::shared_ptr<WorkerPool> pool_;
  std::shared_ptr<ServerLane> loop_lane_;  // constant; null: each connection has a lane of its own

  const size_t most_connecting_;

  Mutex mutex_;
  std::vector<std::shared_ptr<Lane>> lanes_ ABSL_GUARDED_BY(mutex_);
  size_t connecting_ ABSL_GUARDED_BY(mutex_) = 0;  // threads
  std::deque<absl::AnyInvocable<void()>> to_connect_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CHANNEL_SERVER_H_
