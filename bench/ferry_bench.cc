// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// ferry_bench [--quick] [--json=FILE] [--placement=one-cpu|two-cpus|free]
// [--transports=pipe,unix,named-pipe,shm] [--floors_only] [--only=calls|streams]: how long
// calls, and the messages of streams, take beside floors, which do no more than the
// transport must for as many bytes. Of calls:
//   floor   blocking write(2) and read(2); of unix where the transport is shm
//   polled  both without sleeping, given two CPUs
//   slot    protobuf and a slot of shared memory, polled, given two CPUs, for shm
//   line    a cache line of shared memory, with nothing in it: what slot is judged by
// Of streams, where one side writes as fast as the other one reads:
//   bulk    write(2) of 64 KiB, whatever the messages' size, and read(2)
//   floor   write(2) of each message, as a stream hands over each one, and read(2)
//   polled  floor without sleeping, given two CPUs
//   slot    protobuf and a ring of slots, for shm; given one CPU, each side yields it
// Ratios to what is measured in another run mean nothing: the machine's speed drifts.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ferry/rpc/server.h"
#include "ferry_echo.h"
#include "floors.h"
#include "machine.h"
#include "measure.h"
#include "placement.h"
#include "report.h"
#include "stream_bench.h"

ABSL_FLAG(bool, quick, false, "take seconds rather than minutes");
ABSL_FLAG(std::string, json, "", "a file to write, one JSON object a line");
ABSL_FLAG(std::string, placement, "",
          "where the processes run: one-cpu, all on the first usable CPU; two-cpus, the "
          "children on the second; free, where the scheduler puts them, which makes two runs "
          "hard to compare. The default is one-cpu, then two-cpus");

ABSL_FLAG(std::vector<std::string>, transports,
          (std::vector<std::string>{"pipe", "unix", "named-pipe", "shm"}),
          "what carries the calls");
ABSL_FLAG(std::string, only, "", "calls or streams; the default is both");
ABSL_FLAG(bool, floors_only, false, "leave ferry out");

namespace ferry::bench {
namespace {

// What is measured together.
struct Pairing {
  std::string transport;
  std::unique_ptr<Floors> floors;
  std::optional<Worker> worker;  // unless floors only
  std::optional<Channel> async;  // to it: blocking calls beside a thread that reads; not over pipes
};

struct UnaryCase {
  size_t payload;
  int block;  // round trips of one system in a row
};
constexpr UnaryCase kUnaryCases[] = {{32, 1000}, {1024, 1000}, {64 * 1024, 100}, {1 << 20, 10}};

// A slower slot is no floor. Judged by messages that fit into a line, as a line carries.
constexpr size_t kLinePayload = 32;
constexpr double kMostLines = 2.5;

// A call with a timeout, which does not run out, beside one without; and one on a channel that
// makes asynchronous calls, too.
constexpr size_t kTimeoutPayload = 32;
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr double kTimeoutGoal = 1.2;

constexpr size_t kThreads = 4;
constexpr size_t kThreadsPayload = 32;

// The ratio that decides whether the slot is a floor.
void Judge(const Baseline& line, const Baseline& slot, bool& valid) {
  double lines = slot.p50_ns / line.p50_ns;
  absl::PrintF("slot at %d B: %.2f lines\n", kLinePayload, lines);
  if (lines <= kMostLines) return;
  absl::PrintF("INVALID: the slot must take at most %.1f lines to be a floor\n", kMostLines);
  valid = false;
}

void PrintCostOfTimeout(const Baseline& without, const Baseline& with) {
  absl::PrintF("a timeout at %d B: %.3f of without (goal: at most %.1f)\n", kTimeoutPayload,
               with.p50_ns / without.p50_ns, kTimeoutGoal);
}

// `valid` becomes false if the floor is too slow to be one.
absl::Status RunUnary(const Pairing& pairing, const std::string& placement,
                      std::chrono::seconds duration, Report& report, bool& valid) {
  for (const auto& [payload, block] : kUnaryCases) {
    std::vector<Contestant> contestants =
        placement == "one-cpu" ? pairing.floors->WithOneCpu() : pairing.floors->WithTwoCpus();
    if (contestants[0].system == "line" && payload != kLinePayload) {
      contestants.erase(contestants.begin());
    }
    std::optional<FerryEcho> echo;
    std::optional<FerryEcho> with_timeout;
    std::optional<FerryEcho> async;
    if (pairing.worker.has_value()) {
      echo.emplace(pairing.worker->channel);
      contestants.push_back({"ferry", pairing.transport, &*echo});
      if (payload == kTimeoutPayload) {
        with_timeout.emplace(pairing.worker->channel, kTimeout);
        contestants.push_back({"ferry", pairing.transport, &*with_timeout, "unary, timeout"});
        if (pairing.async.has_value()) {
          async.emplace(*pairing.async);
          contestants.push_back({"ferry", pairing.transport, &*async, "unary, async"});
        }
      }
    }
    std::vector<EchoClient*> clients;
    for (const Contestant& contestant : contestants) {
      contestant.client->Prepare(payload);
      clients.push_back(contestant.client);
    }
    absl::StatusOr<std::vector<Measurement>> measured = MeasureInTurns(clients, block, duration);
    if (!measured.ok()) return measured.status();
    std::vector<Baseline> rows;
    for (size_t i = 0; i < clients.size(); ++i) {
      const auto& [system, transport, client, what] = contestants[i];
      size_t carried = system == "line" ? 0 : payload;
      rows.push_back(
          report.AddCalls({system, transport, absl::StrCat(what, ", ", placement), carried},
                          measured->at(i), rows));
    }
    if (rows[0].system == "line") Judge(rows[0], rows[1], valid);
    if (with_timeout.has_value()) {
      auto with = rows.end() - (async.has_value() ? 2 : 1);
      PrintCostOfTimeout(with[-1], with[0]);
    }
  }
  return absl::OkStatus();
}

absl::Status RunThreads(const Pairing& pairing, const std::string& placement,
                        std::chrono::seconds duration, Report& report) {
  if (!pairing.worker.has_value()) return absl::OkStatus();
  std::vector<FerryEcho> echoes(kThreads, FerryEcho(pairing.worker->channel));
  std::vector<EchoClient*> clients;
  for (FerryEcho& echo : echoes) {
    echo.Prepare(kThreadsPayload);
    clients.push_back(&echo);
  }
  absl::StatusOr<Measurement> measured = MeasureTogether(clients, duration);
  if (!measured.ok()) return measured.status();
  report.AddCalls({"ferry", pairing.transport, absl::StrCat("4 threads, ", placement),
                   kThreadsPayload, kThreads},
                  *measured);
  return absl::OkStatus();
}

absl::StatusOr<Pairing> Pair(const std::string& transport) {
  absl::StatusOr<std::unique_ptr<Floors>> floors = Floors::Start(transport);
  if (!floors.ok()) return floors.status();
  if (absl::GetFlag(FLAGS_floors_only)) return Pairing{transport, *std::move(floors), {}, {}};
  absl::StatusOr<Worker> worker = StartWorker(transport);
  if (!worker.ok()) return worker.status();
  Pairing pairing{transport, *std::move(floors), *std::move(worker), std::nullopt};
  if (transport == "pipe") return pairing;
  ChannelOptions options;
  options.async = true;
  absl::StatusOr<Channel> async = Connect(pairing.worker->address, options);
  if (!async.ok()) return async.status();
  pairing.async = *std::move(async);
  return pairing;
}

absl::Status RunCalls(const std::vector<std::string>& placements, Report& report) {
  std::chrono::seconds duration(absl::GetFlag(FLAGS_quick) ? 4 : 15);
  absl::PrintF(
      "%d s a case, systems in turns; pipes of the default capacity; a round trip includes\n"
      "one reading of the clock, %d ns; MB/s count the payload one way; CPU is both\n"
      "processes', per call\n\n",
      duration.count(), ClockCost());
  report.PrintHeadOfCalls();
  absl::Status status;
  bool valid = true;
  for (const std::string& transport : absl::GetFlag(FLAGS_transports)) {
    absl::StatusOr<Pairing> pairing = Pair(transport);
    if (!pairing.ok()) return pairing.status();
    for (const std::string& placement : placements) {
      std::vector<pid_t> children = pairing->floors->pids();
      if (pairing->worker.has_value()) children.push_back(pairing->worker->pid);
      status = Place(placement, children);
      if (status.ok()) status = RunUnary(*pairing, placement, duration, report, valid);
      if (status.ok()) status = RunThreads(*pairing, placement, duration, report);
      if (!status.ok()) return status;
    }
  }
  return valid ? status : absl::InternalError("INVALID: see above");
}

absl::Status Run() {
  absl::StatusOr<Report> report = Report::Open(absl::GetFlag(FLAGS_json));
  if (!report.ok()) return report.status();
  std::string only = absl::GetFlag(FLAGS_only);
  if (!only.empty() && only != "calls" && only != "streams") {
    return absl::InvalidArgumentError(
        absl::StrCat("--only='", only, "', expected calls or streams"));
  }
  const std::vector<std::string> placements = Placements(absl::GetFlag(FLAGS_placement));
  absl::PrintF("%s\n", DescribeMachine());
  absl::Status calls, streams;
  if (only != "streams") calls = RunCalls(placements, *report);
  if (only != "calls") {
    std::chrono::seconds duration(absl::GetFlag(FLAGS_quick) ? 1 : 5);
    streams = RunStreams(
        {absl::GetFlag(FLAGS_transports), placements, absl::GetFlag(FLAGS_floors_only), duration},
        *report);
  }
  return calls.ok() ? streams : calls;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times calls beside bare reads and writes of as many bytes");
  absl::ParseCommandLine(argc, argv);
  return ferry::ExitCode(ferry::bench::Run());
}
