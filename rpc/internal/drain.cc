// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/drain.h"

#include <algorithm>

#include "ferry/rpc/internal/session.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {
namespace {

// How often it looks whether handlers have returned, and clients have read.
constexpr absl::Duration kTick = absl::Milliseconds(2);

}  // namespace

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
  lane_->CloseGate();
  lane_->StopAccepting();
  for (const auto& session : lane_->Sessions()) {
    session->connection().SendGoAway(absl::OkStatus());
  }
  while (!SayGoodbye() && !HasPassed(request_.deadline()) && !stopping_.load()) {
    request_.Wait(std::min(request_.deadline(), DeadlineAfter(kTick)));
  }
  lane_->EndNow();
}

// To who has no handler running and no reply coming. Answers whether all have gone.
bool Drain::SayGoodbye() {
  for (const auto& session : lane_->IdleSessions()) session->SayGoodbye();
  auto sessions = lane_->Sessions();
  return std::all_of(sessions.begin(), sessions.end(),
                     [](const auto& session) { return session->is_gone(); });
}

}  // namespace ferry::internal
