// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "floors.h"

#include <utility>

namespace ferry::bench {

absl::StatusOr<std::unique_ptr<Floors>> Floors::Start(const std::string& transport) {
  std::unique_ptr<Floors> floors(new Floors);
  floors->transport_ = transport;
  floors->asleep_transport_ = transport == "shm" ? "unix" : transport;
  absl::StatusOr<std::unique_ptr<Floor>> asleep =
      Floor::Start(floors->asleep_transport_, Floor::Wait::kAsleep);
  if (!asleep.ok()) return asleep.status();
  floors->asleep_ = *std::move(asleep);
  if (transport != "shm") {
    absl::StatusOr<std::unique_ptr<Floor>> polling = Floor::Start(transport, Floor::Wait::kPolling);
    if (!polling.ok()) return polling.status();
    floors->polling_ = *std::move(polling);
    return floors;
  }
  absl::StatusOr<std::unique_ptr<SlotChild>> slots = SlotChild::Start();
  if (!slots.ok()) return slots.status();
  floors->slots_ = *std::move(slots);
  floors->bare_slot_ = std::make_unique<BareSlot>(*floors->slots_);
  floors->one_line_ = std::make_unique<OneLine>(*floors->slots_);
  return floors;
}

std::vector<pid_t> Floors::pids() const {
  return {asleep_->pid(), polling_ != nullptr ? polling_->pid() : slots_->process().pid()};
}

std::vector<Contestant> Floors::WithOneCpu() const {
  return {{"floor", asleep_transport_, asleep_.get()}};
}

std::vector<Contestant> Floors::WithTwoCpus() const {
  if (polling_ != nullptr) {
    return {{"floor", transport_, asleep_.get()}, {"polled", transport_, polling_.get()}};
  }
  return {{"line", transport_, one_line_.get()}, {"slot", transport_, bare_slot_.get()}};
}

}  // namespace ferry::bench
