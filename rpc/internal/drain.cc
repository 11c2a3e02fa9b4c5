// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/drain.h"

#include <algorithm>

#include "ferry/rpc/internal/session.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {

void BeginDrain(Lane& lane) {
  lane.CloseGate();
  lane.StopAccepting();
  for (const auto& session : lane.Sessions()) session->connection().SendGoAway(absl::OkStatus());
}

bool SayGoodbye(Lane& lane) {
  for (const auto& session : lane.IdleSessions()) session->SayGoodbye();
  auto sessions = lane.Sessions();
  return std::all_of(sessions.begin(), sessions.end(),
                     [](const auto& session) { return session->is_gone(); });
}

absl::StatusOr<std::unique_ptr<Drain>> Drain::Start(std::shared_ptr<Lane> lane,
                                                    ShutdownRequest& request) {
  std::unique_ptr<Drain> drain(new Drain(std::move(lane), request));
  absl::StatusOr<std::thread> thread = StartThread([drain = drain.get()] { drain->Run(); });
  if (!thread.ok()) return thread.status();
  drain->thread_ = *std::move(thread);
  return drain;
}

Drain::~Drain() {
  stopping_.store(true);
  request_.Wake();
  if (thread_.joinable()) thread_.join();
}

void Drain::Run() {
  while (!stopping_.load() && !request_.asked()) request_.Wait(kNoDeadline);
  if (stopping_.load()) return;
  BeginDrain(*lane_);
  while (!SayGoodbye(*lane_) && !HasPassed(request_.deadline()) && !stopping_.load()) {
    request_.Wait(std::min(request_.deadline(), DeadlineAfter(kDrainTick)));
  }
  lane_->EndNow();
}

}  // namespace ferry::internal
