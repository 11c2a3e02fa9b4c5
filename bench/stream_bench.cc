// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "stream_bench.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "measure.h"
#include "placement.h"
#include "stream_systems.h"

namespace ferry::bench {
namespace {

struct StreamCase {
  size_t payload;
  int messages;  // enough for some milliseconds, beside which the start of a call is little
};
constexpr StreamCase kCases[] = {{1024, 8192}, {64 * 1024, 256}};

constexpr int kBlock = 3;  // streams of one system in a row

absl::Status RunCase(const StreamCase& what, StreamDirection direction,
                     const std::string& placement, const StreamSystems& systems,
                     std::chrono::seconds duration, Report& report) {
  std::vector<Streamer> streamers =
      systems.Streamers(direction, what.messages, placement != "one-cpu");
  std::vector<EchoClient*> clients;
  for (const Streamer& streamer : streamers) {
    streamer.client->Prepare(what.payload);
    clients.push_back(streamer.client.get());
  }
  absl::StatusOr<std::vector<Measurement>> measured = MeasureInTurns(clients, kBlock, duration);
  if (!measured.ok()) return measured.status();
  std::string name = absl::StrCat(
      direction == StreamDirection::kDown ? "stream down, " : "stream up, ", placement);
  std::vector<Baseline> rows;
  for (size_t i = 0; i < streamers.size(); ++i) {
    Case row = {streamers[i].system, streamers[i].transport, name, what.payload, 1, what.messages};
    rows.push_back(report.AddStreams(row, measured->at(i), rows));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunStreams(const StreamPlan& plan, Report& report) {
  absl::PrintF(
      "\nstreams, %d s a case, systems in turns; each is timed from its start until its\n"
      "end is known; CPU is both processes', per message\n\n",
      plan.duration.count());
  report.PrintHeadOfStreams();
  for (const std::string& transport : plan.transports) {
    absl::StatusOr<std::unique_ptr<StreamSystems>> systems =
        StreamSystems::Start(transport, plan.floors_only);
    if (!systems.ok()) return systems.status();
    for (const std::string& placement : plan.placements) {
      absl::Status status = Place(placement, (*systems)->pids());
      for (StreamDirection direction : {StreamDirection::kDown, StreamDirection::kUp}) {
        for (const StreamCase& what : kCases) {
          if (!status.ok()) return status;
          status = RunCase(what, direction, placement, **systems, plan.duration, report);
        }
      }
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace ferry::bench
