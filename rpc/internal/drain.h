// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_DRAIN_H_
#define FERRY_RPC_INTERNAL_DRAIN_H_

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/shutdown_request.h"

namespace ferry::internal {

// Of a shutdown, as Server::Shutdown says: first nobody comes in any more, and no handler begins;
// then, every kDrainTick, who has no handler running and no reply coming is sent away, until all
// are: SayGoodbye answers true then.
inline constexpr absl::Duration kDrainTick = absl::Milliseconds(2);
void BeginDrain(Lane& lane);
bool SayGoodbye(Lane& lane);

// Shuts a lane down when that is asked for, as Server::Shutdown says. On a thread of its
// own: a signal handler may do next to nothing, the lane's threads may all be in handlers,
// and one of them may sleep where only the end of its connection wakes it.
//
// Thread contract: made and destroyed by the thread that serves.
class Drain {
 public:
  // `request` outlives it. Returns: RESOURCE_EXHAUSTED without a thread.
  static absl::StatusOr<std::unique_ptr<Drain>> Start(std::shared_ptr<Lane> lane,
                                                      ShutdownRequest& request);
  // REQUIRES: the lane has ended.
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

 private:
  Drain(std::shared_ptr<Lane> lane, ShutdownRequest& request)
      : lane_(std::move(lane)), request_(request) {}

  void Run();

  const std::shared_ptr<Lane> lane_;
  ShutdownRequest& request_;
  std::atomic<bool> stopping_{false};  // sequentially consistent: then the request is woken
  std::thread thread_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_DRAIN_H_
