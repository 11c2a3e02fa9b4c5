// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// ferry_bench [--quick] [--json=FILE] [--pin | --one_cpu]: how long calls take, beside
// what the kernel alone takes for as many bytes.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "ferry/rpc/server.h"
#include "ferry_echo.h"
#include "floor_pipe.h"
#include "machine.h"
#include "measure.h"
#include "report.h"

ABSL_FLAG(bool, quick, false, "take seconds rather than minutes");
ABSL_FLAG(std::string, json, "", "a file to write, one JSON object a line");
ABSL_FLAG(bool, pin, false,
          "keep this process on the first usable CPU and its children on the second; "
          "unpinned, the scheduler decides for all alike");
ABSL_FLAG(bool, one_cpu, false, "keep all processes on the first usable CPU");

namespace ferry::bench {
namespace {

struct UnaryCase {
  size_t payload;
  int block;  // round trips of one system in a row
};
constexpr UnaryCase kUnaryCases[] = {{32, 200}, {1024, 200}, {64 * 1024, 100}, {1 << 20, 10}};

constexpr size_t kThreads = 4;
constexpr size_t kThreadsPayload = 32;

// Where this process and its children run. REQUIRES: none of them has a second thread.
absl::Status PinAll(const std::vector<pid_t>& children) {
  std::vector<int> cpus = UsableCpus();
  bool apart = absl::GetFlag(FLAGS_pin);
  if (!apart && !absl::GetFlag(FLAGS_one_cpu)) return absl::OkStatus();
  if (apart && cpus.size() < 2) return absl::FailedPreconditionError("--pin needs two usable CPUs");
  absl::Status status = PinProcess(0, cpus[0]);
  for (pid_t pid : children) {
    if (status.ok()) status = PinProcess(pid, cpus[apart ? 1 : 0]);
  }
  return status;
}

absl::Status RunUnary(FloorPipe& floor, const Channel& channel, std::chrono::seconds duration,
                      Report& report) {
  FerryEcho echo(channel);
  EchoClient* const clients[] = {&floor, &echo};
  for (const auto& [payload, block] : kUnaryCases) {
    for (EchoClient* client : clients) client->Prepare(payload);
    absl::StatusOr<std::vector<Measurement>> measured = MeasureInTurns(clients, block, duration);
    if (!measured.ok()) return measured.status();
    Baseline baseline = report.Add({"floor", "pipe", "unary", payload}, measured->at(0));
    report.Add({"ferry", "pipe", "unary", payload}, measured->at(1), baseline);
  }
  return absl::OkStatus();
}

absl::Status RunThreads(const Channel& channel, std::chrono::seconds duration, Report& report) {
  std::vector<FerryEcho> echoes(kThreads, FerryEcho(channel));
  std::vector<EchoClient*> clients;
  for (FerryEcho& echo : echoes) {
    echo.Prepare(kThreadsPayload);
    clients.push_back(&echo);
  }
  absl::StatusOr<Measurement> measured = MeasureTogether(clients, duration);
  if (!measured.ok()) return measured.status();
  report.Add({"ferry", "pipe", "unary-4-threads", kThreadsPayload, kThreads}, *measured);
  return absl::OkStatus();
}

absl::Status Run() {
  absl::StatusOr<Report> report = Report::Open(absl::GetFlag(FLAGS_json));
  if (!report.ok()) return report.status();
  absl::StatusOr<std::unique_ptr<FloorPipe>> floor = FloorPipe::Start();
  if (!floor.ok()) return floor.status();
  absl::StatusOr<Channel> channel = StartWorker("pipe");
  if (!channel.ok()) return channel.status();

  std::chrono::seconds duration(absl::GetFlag(FLAGS_quick) ? 6 : 30);
  absl::PrintF("%s\n", DescribeMachine());
  absl::PrintF(
      "%d s a case, systems in turns; %s; pipes of the default capacity; a round trip\n"
      "includes one reading of the clock, %d ns; MB/s count the payload one way; CPU is\n"
      "both processes', per call\n\n",
      duration.count(),
      absl::GetFlag(FLAGS_pin)       ? "parent and children pinned to a CPU each"
      : absl::GetFlag(FLAGS_one_cpu) ? "all processes pinned to one CPU"
                                     : "no process pinned",
      ClockCost());
  absl::Status pinned = PinAll({(*floor)->pid(), static_cast<pid_t>(channel->peer().pid)});
  if (!pinned.ok()) return pinned;

  report->PrintTableHead();
  absl::Status status = RunUnary(**floor, *channel, duration, *report);
  if (status.ok()) status = RunThreads(*channel, duration, *report);
  return status;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times calls beside bare reads and writes of as many bytes");
  absl::ParseCommandLine(argc, argv);
  return ferry::ExitCode(ferry::bench::Run());
}
