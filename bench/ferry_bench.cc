// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// ferry_bench [--quick] [--json=FILE] [--placement=one-cpu|two-cpus|free]
// [--transports=pipe,unix,named-pipe]: how long calls take, beside what the kernel alone
// takes for as many bytes.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ferry/rpc/server.h"
#include "ferry_echo.h"
#include "floor.h"
#include "machine.h"
#include "measure.h"
#include "report.h"

ABSL_FLAG(bool, quick, false, "take seconds rather than minutes");
ABSL_FLAG(std::string, json, "", "a file to write, one JSON object a line");
ABSL_FLAG(std::string, placement, "",
          "where the processes run: one-cpu, all on the first usable CPU; two-cpus, the "
          "children on the second; free, where the scheduler puts them, which makes two runs "
          "hard to compare. The default is one-cpu, then two-cpus");

ABSL_FLAG(std::vector<std::string>, transports,
          (std::vector<std::string>{"pipe", "unix", "named-pipe"}), "what carries the calls");

namespace ferry::bench {
namespace {

// What is measured together.
struct Pairing {
  std::string transport;
  std::unique_ptr<Floor> floor;
  Worker worker;
};

struct UnaryCase {
  size_t payload;
  int block;  // round trips of one system in a row
};
constexpr UnaryCase kUnaryCases[] = {{32, 200}, {1024, 200}, {64 * 1024, 100}, {1 << 20, 10}};

constexpr size_t kThreads = 4;
constexpr size_t kThreadsPayload = 32;

// Puts this process and its children where `placement` says.
absl::Status Place(const std::string& placement, const std::vector<pid_t>& children) {
  static const std::vector<int> cpus = UsableCpus();
  if (placement == "free") return absl::OkStatus();
  bool apart = placement == "two-cpus";
  if (!apart && placement != "one-cpu") {
    return absl::InvalidArgumentError(
        absl::StrCat("--placement='", placement, "', expected one-cpu, two-cpus or free"));
  }
  if (apart && cpus.size() < 2)
    return absl::FailedPreconditionError("there is one usable CPU only");
  absl::Status status = PinProcess(0, cpus[0]);
  for (pid_t pid : children) {
    if (status.ok()) status = PinProcess(pid, cpus[apart ? 1 : 0]);
  }
  return status;
}

// The placements to measure.
std::vector<std::string> Placements() {
  std::string flag = absl::GetFlag(FLAGS_placement);
  if (!flag.empty()) return {flag};
  if (UsableCpus().size() < 2) return {"one-cpu"};
  return {"one-cpu", "two-cpus"};
}

absl::Status RunUnary(const Pairing& pairing, const std::string& placement,
                      std::chrono::seconds duration, Report& report) {
  FerryEcho echo(pairing.worker.channel);
  EchoClient* const clients[] = {pairing.floor.get(), &echo};
  for (const auto& [payload, block] : kUnaryCases) {
    for (EchoClient* client : clients) client->Prepare(payload);
    absl::StatusOr<std::vector<Measurement>> measured = MeasureInTurns(clients, block, duration);
    if (!measured.ok()) return measured.status();
    std::string name = absl::StrCat("unary, ", placement);
    Baseline baseline = report.Add({"floor", pairing.transport, name, payload}, measured->at(0));
    report.Add({"ferry", pairing.transport, name, payload}, measured->at(1), baseline);
  }
  return absl::OkStatus();
}

absl::Status RunThreads(const Pairing& pairing, const std::string& placement,
                        std::chrono::seconds duration, Report& report) {
  std::vector<FerryEcho> echoes(kThreads, FerryEcho(pairing.worker.channel));
  std::vector<EchoClient*> clients;
  for (FerryEcho& echo : echoes) {
    echo.Prepare(kThreadsPayload);
    clients.push_back(&echo);
  }
  absl::StatusOr<Measurement> measured = MeasureTogether(clients, duration);
  if (!measured.ok()) return measured.status();
  report.Add({"ferry", pairing.transport, absl::StrCat("4 threads, ", placement), kThreadsPayload,
              kThreads},
             *measured);
  return absl::OkStatus();
}

absl::StatusOr<Pairing> Pair(const std::string& transport) {
  absl::StatusOr<std::unique_ptr<Floor>> floor = Floor::Start(transport, Floor::Wait::kAsleep);
  if (!floor.ok()) return floor.status();
  absl::StatusOr<Worker> worker = StartWorker(transport);
  if (!worker.ok()) return worker.status();
  return Pairing{transport, *std::move(floor), *std::move(worker)};
}

absl::Status Run() {
  absl::StatusOr<Report> report = Report::Open(absl::GetFlag(FLAGS_json));
  if (!report.ok()) return report.status();
  std::chrono::seconds duration(absl::GetFlag(FLAGS_quick) ? 4 : 15);
  absl::PrintF("%s\n", DescribeMachine());
  absl::PrintF(
      "%d s a case, systems in turns; pipes of the default capacity; a round trip includes\n"
      "one reading of the clock, %d ns; MB/s count the payload one way; CPU is both\n"
      "processes', per call\n\n",
      duration.count(), ClockCost());
  report->PrintTableHead();
  absl::Status status;
  const std::vector<std::string> placements = Placements();  // before this process is pinned
  for (const std::string& transport : absl::GetFlag(FLAGS_transports)) {
    absl::StatusOr<Pairing> pairing = Pair(transport);
    if (!pairing.ok()) return pairing.status();
    for (const std::string& placement : placements) {
      status = Place(placement, {pairing->floor->pid(), pairing->worker.pid});
      if (status.ok()) status = RunUnary(*pairing, placement, duration, *report);
      if (status.ok()) status = RunThreads(*pairing, placement, duration, *report);
      if (!status.ok()) return status;
    }
  }
  return status;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times calls beside bare reads and writes of as many bytes");
  absl::ParseCommandLine(argc, argv);
  return ferry::ExitCode(ferry::bench::Run());
}
