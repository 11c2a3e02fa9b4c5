// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// in_flight [--in_flight=64] [--calls=N] [--rounds=N] [--transports=pipe,unix,named-pipe,shm]
// [--peers=FOLDER] [--json=FILE]: how many calls of 32 bytes one thread makes in a second when so
// many are under way, and what CPU time a call takes, of both processes together. Of ferry over
// each transport, its callbacks on a thread of ferry's and in a loop of this program's; of the
// floor, which is protobuf and a ring of slots, polled; and of every program in FOLDER (see
// peers/). In turns, and the medians of them.
// --json adds to the file, one object a line.

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "echo.ferry.h"
#include "echo_service.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/exit_code.h"
#include "ferry/rpc/server.h"
#include "ferry/rpc/spawn.h"

ABSL_FLAG(int, in_flight, 64, "calls under way at a time");
ABSL_FLAG(int, calls, 100000, "calls of one turn");
ABSL_FLAG(int, rounds, 5, "turns");
ABSL_FLAG(std::vector<std::string>, transports,
          (std::vector<std::string>{"pipe", "unix", "named-pipe", "shm"}), "what carries ferry's");
ABSL_FLAG(std::string, peers, "", "a folder of programs to compare with");
ABSL_FLAG(std::string, json, "", "a file to add to, one JSON object a line");
ABSL_FLAG(std::string, at, "", "serves there as the child, beside its parent");

namespace ferry::bench {
namespace {

absl::Status Serve(const std::string& address) {
  EchoServer echo;
  Server server;
  server.Register(echo);
  absl::Status status = server.Listen("parent:");
  if (status.ok() && address != "parent:") status = server.Listen(address);
  return status.ok() ? server.Serve() : status;
}

// Makes calls until all have ended. Thread contract: the callbacks' threads use it, one at a time.
class Flight {
 public:
  Flight(const Channel& channel, int calls) : stub_(channel), to_start_(calls), to_end_(calls) {
    request_.set_payload(std::string(32, 'x'));
    slots_.resize(static_cast<size_t>(absl::GetFlag(FLAGS_in_flight)));
  }
  void Start() {
    for (EchoMessage& reply : slots_) {
      if (to_start_-- <= 0) break;
      Call(reply);
    }
  }
  bool has_ended() const { return ended_.HasBeenNotified(); }
  void Await() { ended_.WaitForNotification(); }
  const absl::Status& status() const { return status_; }

 private:
  void Call(EchoMessage& reply) {
    stub_.Echo(request_, &reply, [this, &reply](absl::Status status) {
      if (!status.ok()) status_ = status;
      if (to_start_-- > 0) Call(reply);
      if (--to_end_ == 0) ended_.Notify();
    });
  }

  const EchoStub stub_;
  EchoMessage request_;
  std::vector<EchoMessage> slots_;  // a reply for each call under way
  std::atomic<int> to_start_, to_end_;
  absl::Status status_;
  absl::Notification ended_;
};

std::chrono::duration<double> CpuTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

absl::StatusOr<std::chrono::duration<double>> CpuTimeOfPeer(const EchoStub& stub) {
  absl::StatusOr<CpuTimeReply> reply = stub.CpuTime(CpuTimeRequest());
  if (!reply.ok()) return reply.status();
  return std::chrono::nanoseconds(reply->nanoseconds());
}

void Run(const Channel& channel, Flight& flight) {
  flight.Start();
  while (channel.wait_handle() >= 0 && !flight.has_ended()) {
    pollfd handle = {channel.wait_handle(), POLLIN, 0};
    poll(&handle, 1, -1);
    channel.Dispatch();
  }
  flight.Await();
}

struct Turn {
  double calls_per_second;
  double cpu_us;  // of a call, of both processes
  int in_flight;
};

// One of those that are compared. Thread contract: owned by one thread.
class Contestant {
 public:
  Contestant(std::string its_name, std::string carrier)
      : name(std::move(its_name)), over(std::move(carrier)) {}
  virtual ~Contestant() = default;
  virtual absl::StatusOr<Turn> Go() = 0;

  // The medians of its turns.
  Turn Median() {
    auto middle = [this](double Turn::*value) {
      std::vector<double> values;
      for (const Turn& turn : turns) values.push_back(turn.*value);
      std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
      return values[values.size() / 2];
    };
    return {middle(&Turn::calls_per_second), middle(&Turn::cpu_us), turns.front().in_flight};
  }

  const std::string name;
  const std::string over;
  std::vector<Turn> turns;
};

class Ferry final : public Contestant {
 public:
  // With a child that serves at `address`.
  static absl::StatusOr<std::unique_ptr<Contestant>> Start(const std::string& carrier,
                                                           const std::string& address,
                                                           const std::string& program,
                                                           bool in_loop) {
    ChannelOptions options;
    options.async = !in_loop;
    options.in_loop = in_loop;
    options.wait_for_ready = absl::Seconds(10);
    absl::StatusOr<Child> child =
        Spawn(absl::StrCat("exec:", program, "?arg=--at=", address), options);
    if (!child.ok()) return child.status();
    absl::StatusOr<Channel> channel =
        address == "parent:" ? child->channel() : Connect(address, options);
    if (!channel.ok()) return channel.status();
    return std::unique_ptr<Contestant>(
        new Ferry(carrier, in_loop, *std::move(child), *std::move(channel)));
  }

  absl::StatusOr<Turn> Go() override {
    Flight warm_up(channel_, absl::GetFlag(FLAGS_calls) / 10 + 1);
    Run(channel_, warm_up);
    EchoStub stub(channel_);
    auto peer_before = CpuTimeOfPeer(stub);
    if (!peer_before.ok()) return peer_before.status();
    auto cpu = CpuTime();
    auto begin = std::chrono::steady_clock::now();
    Flight flight(channel_, absl::GetFlag(FLAGS_calls));
    Run(channel_, flight);
    std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    cpu = CpuTime() - cpu;
    auto peer_after = CpuTimeOfPeer(stub);
    if (!peer_after.ok()) return peer_after.status();
    if (!flight.status().ok()) return flight.status();
    double calls = absl::GetFlag(FLAGS_calls);
    return Turn{calls / time.count(), 1e6 * (cpu + *peer_after - *peer_before).count() / calls,
                absl::GetFlag(FLAGS_in_flight)};
  }

 private:
  Ferry(const std::string& carrier, bool in_loop, Child child, Channel channel)
      : Contestant("ferry", absl::StrCat(carrier, in_loop ? ", loop" : "")),
        child_(std::move(child)),
        channel_(std::move(channel)) {}

  const Child child_;
  const Channel channel_;
};

// A program made by PairMain.
class Program final : public Contestant {
 public:
  Program(std::string its_name, std::string path)
      : Contestant(std::move(its_name), ""), path_(std::move(path)) {}

  absl::StatusOr<Turn> Go() override {
    const int calls = absl::GetFlag(FLAGS_calls);
    std::string command =
        absl::StrCat("'", path_, "' ", calls, " ", absl::GetFlag(FLAGS_in_flight));
    FILE* output = popen(command.c_str(), "r");
    if (output == nullptr) return absl::ErrnoToStatus(errno, path_);
    double seconds = 0, cpu = 0;
    int in_flight = 0;
    bool read = fscanf(output, "%lf %lf %d", &seconds, &cpu, &in_flight) == 3;
    if (pclose(output) != 0 || !read) return absl::InternalError(absl::StrCat(path_, " failed"));
    return Turn{calls / seconds, 1e6 * cpu / calls, in_flight};
  }

 private:
  const std::string path_;
};

using Contestants = std::vector<std::unique_ptr<Contestant>>;

absl::StatusOr<Contestants> All(const std::string& program) {
  Contestants all;
  const std::filesystem::path folder = std::filesystem::path(program).parent_path();
  all.push_back(std::make_unique<Program>("slot", folder / "slot_in_flight"));
  std::string peers = absl::GetFlag(FLAGS_peers);
  if (!peers.empty()) {
    for (const auto& entry : std::filesystem::directory_iterator(peers)) {
      std::string name = entry.path().filename();
      all.push_back(
          std::make_unique<Program>(name.substr(0, name.find("_in_flight")), entry.path()));
    }
    std::sort(all.begin() + 1, all.end(),
              [](const auto& a, const auto& b) { return a->name < b->name; });
  }
  std::string at =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/ferry-in-flight-", getpid());
  for (const std::string& over : absl::GetFlag(FLAGS_transports)) {
    for (bool in_loop : {false, true}) {
      std::string address = absl::StrCat(over, ":", at, "-", over, in_loop ? "-loop" : "");
      if (over == "pipe") address = "parent:";
      auto ferry = Ferry::Start(over, address, program, in_loop);
      if (!ferry.ok()) return ferry.status();
      all.push_back(*std::move(ferry));
    }
  }
  return all;
}

// Of what is before in the table: so many times the calls per second, and the CPU time of a call.
void Print(Contestants& all, FILE* json) {
  absl::PrintF("%-8s %-17s %9s %10s %8s", "", "over", "in flight", "calls/s", "CPU us");
  Contestants::iterator others = all.begin();
  for (; others != all.end() && (*others)->name != "ferry"; ++others)
    absl::PrintF("  %12s", "by " + (*others)->name);
  absl::PrintF("\n");
  for (const auto& each : all) {
    Turn turn = each->Median();
    absl::PrintF("%-8s %-17s %9d %10.0f %8.3f", each->name, each->over, turn.in_flight,
                 turn.calls_per_second, turn.cpu_us);
    std::string by;
    for (auto other = all.begin(); other != others; ++other) {
      Turn beside = (*other)->Median();
      double rate = turn.calls_per_second / beside.calls_per_second;
      double cpu = turn.cpu_us / beside.cpu_us;
      absl::PrintF("  %6.2f %5.3f", rate, cpu);
      absl::StrAppendFormat(&by, R"(%s"%s":{"calls_per_s":%.4f,"cpu":%.4f})", by.empty() ? "" : ",",
                            (*other)->name, rate, cpu);
    }
    absl::PrintF("\n");
    if (json == nullptr) continue;
    absl::FPrintF(json,
                  R"({"system":"%s","transport":"%s","case":"in flight","payload":32,)"
                  R"("in_flight":%d,"calls_per_s":%.1f,"cpu_ns_per_call":%.1f,"by":{%s}})"
                  "\n",
                  each->name, each->over, turn.in_flight, turn.calls_per_second, 1e3 * turn.cpu_us,
                  by);
  }
}

absl::Status Measure(const std::string& program) {
  FILE* json = nullptr;
  if (std::string path = absl::GetFlag(FLAGS_json); !path.empty()) {
    json = fopen(path.c_str(), "a");
    if (json == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  absl::StatusOr<Contestants> all = All(program);
  if (!all.ok()) return all.status();
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (const auto& each : *all) {
      absl::StatusOr<Turn> turn = each->Go();
      if (!turn.ok()) return turn.status();
      each->turns.push_back(*turn);
    }
  }
  absl::PrintF(
      "calls of 32 bytes under way at a time; calls per second and CPU by those of others\n");
  Print(*all, json);
  if (json != nullptr) fclose(json);
  return absl::OkStatus();
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("measures asynchronous calls between two processes");
  absl::ParseCommandLine(argc, argv);
  std::string at = absl::GetFlag(FLAGS_at);
  if (!at.empty()) return ferry::ExitCode(ferry::bench::Serve(at));
  return ferry::ExitCode(ferry::bench::Measure(std::filesystem::read_symlink("/proc/self/exe")));
}
