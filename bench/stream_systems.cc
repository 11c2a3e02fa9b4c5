// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "stream_systems.h"

#include <utility>

#include "ferry_stream.h"
#include "slot_stream.h"
#include "stream_floor.h"

namespace ferry::bench {

absl::StatusOr<std::unique_ptr<StreamSystems>> StreamSystems::Start(const std::string& transport,
                                                                    bool floors_only) {
  std::unique_ptr<StreamSystems> systems(new StreamSystems);
  systems->transport_ = transport;
  systems->kernel_transport_ = transport == "shm" ? "unix" : transport;
  absl::StatusOr<std::unique_ptr<FloorChild>> kernel =
      FloorChild::Start("stream-floor", systems->kernel_transport_);
  if (!kernel.ok()) return kernel.status();
  systems->kernel_ = *std::move(kernel);
  if (transport == "shm") {
    absl::StatusOr<std::unique_ptr<SlotRingChild>> ring = SlotRingChild::Start();
    if (!ring.ok()) return ring.status();
    systems->ring_ = *std::move(ring);
  }
  if (floors_only) return systems;
  absl::StatusOr<Worker> worker = StartWorker(transport);
  if (!worker.ok()) return worker.status();
  systems->worker_ = *std::move(worker);
  return systems;
}

std::vector<pid_t> StreamSystems::pids() const {
  std::vector<pid_t> pids = {kernel_->pid()};
  if (ring_ != nullptr) pids.push_back(ring_->process().pid());
  if (worker_.has_value()) pids.push_back(worker_->pid);
  return pids;
}

std::vector<Streamer> StreamSystems::Streamers(StreamDirection direction, int messages,
                                               bool apart) const {
  std::vector<Streamer> streamers;
  auto add_kernel = [&](const std::string& system, StreamFloor::Style style) {
    streamers.push_back({system, kernel_transport_,
                         std::make_unique<StreamFloor>(*kernel_, direction, messages, style)});
  };
  if (ring_ == nullptr || !apart) {
    add_kernel("bulk", StreamFloor::Style::kBulk);
    add_kernel("floor", StreamFloor::Style::kAsleep);
  }
  if (ring_ == nullptr && apart) add_kernel("polled", StreamFloor::Style::kPolling);
  if (ring_ != nullptr) {
    SlotWait wait = apart ? SlotWait::kPolling : SlotWait::kYielding;
    streamers.push_back(
        {"slot", transport_, std::make_unique<SlotStream>(*ring_, direction, messages, wait)});
  }
  if (worker_.has_value()) {
    streamers.push_back({"ferry", transport_,
                         std::make_unique<FerryStream>(worker_->channel, direction, messages)});
  }
  return streamers;
}

}  // namespace ferry::bench
