// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// in_flight [--in_flight=64] [--calls=N] [--at=ADDRESS]: how many asynchronous calls of 32 bytes a
// channel makes in a second when so many are under way, and what CPU time a call takes, of both
// processes together; on a thread of ferry's, and in a loop of this program's.

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
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
ABSL_FLAG(int, calls, 200000, "calls that are measured");
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
      --to_start_;
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

absl::Status MeasureOn(const Channel& channel, const char* name, const char* where) {
  Flight warm_up(channel, absl::GetFlag(FLAGS_calls) / 10);
  Run(channel, warm_up);
  EchoStub stub(channel);
  auto peer_before = CpuTimeOfPeer(stub);
  if (!peer_before.ok()) return peer_before.status();
  auto cpu = CpuTime();
  auto begin = std::chrono::steady_clock::now();
  Flight flight(channel, absl::GetFlag(FLAGS_calls));
  Run(channel, flight);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  cpu = CpuTime() - cpu;
  auto peer_after = CpuTimeOfPeer(stub);
  if (!peer_after.ok()) return peer_after.status();
  if (!flight.status().ok()) return flight.status();
  double calls = absl::GetFlag(FLAGS_calls);
  absl::PrintF("%-12s %-7s %12.0f %12.3f\n", name, where, calls / time.count(),
               1e6 * (cpu + *peer_after - *peer_before).count() / calls);
  return absl::OkStatus();
}

absl::Status MeasureOver(const char* name, const std::string& link, const std::string& address,
                         const std::string& program) {
  for (bool in_loop : {false, true}) {
    ChannelOptions options;
    options.async = !in_loop;
    options.in_loop = in_loop;
    options.wait_for_ready = absl::Seconds(10);
    absl::StatusOr<Child> child =
        Spawn(absl::StrCat("exec:", program, "?transport=", link, "&arg=--at=", address), options);
    if (!child.ok()) return child.status();
    absl::StatusOr<Channel> channel =
        address == "parent:" ? child->channel() : Connect(address, options);
    if (!channel.ok()) return channel.status();
    absl::Status status = MeasureOn(*channel, name, in_loop ? "loop" : "thread");
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Measure(const std::string& program) {
  absl::PrintF("asynchronous calls of 32 bytes, %d in flight\n%-12s %-7s %12s %12s\n",
               absl::GetFlag(FLAGS_in_flight), "", "on", "calls/s", "CPU us/call");
  std::string at =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/ferry-in-flight-", getpid());
  absl::Status status = MeasureOver("exec pipe", "pipe", "parent:", program);
  if (status.ok()) status = MeasureOver("unix", "pipe", "unix:" + at, program);
  if (status.ok()) status = MeasureOver("named-pipe", "pipe", "named-pipe:" + at, program);
  if (status.ok()) status = MeasureOver("shm", "pipe", "shm:" + at, program);
  return status;
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
