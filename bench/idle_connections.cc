// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// idle_connections [--unix=1000] [--named_pipe=600] [--shm=1000] [--seconds=10]: what connections
// cost that nobody uses any more, in a server and in its client.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ferry/rpc/channel.h"
#include "ferry_echo.h"

ABSL_FLAG(int, unix, 1000, "how many connections over a Unix socket");
ABSL_FLAG(int, named_pipe, 600, "how many over named pipes");
ABSL_FLAG(int, shm, 1000, "how many over shared memory");
ABSL_FLAG(int, seconds, 10, "how long nobody calls");

namespace ferry::bench {
namespace {

constexpr int64_t kMostWakeups = 2;
constexpr double kMostMemory = 16;      // KiB
constexpr double kMostWithRings = 160;  // KiB, of which both processes have the same 144

// What a process has used so far.
struct Usage {
  int64_t wakeups = 0;  // voluntary context switches of all threads
  int64_t cpu_us = 0;
  int64_t memory = 0;  // bytes that are the process's own, or shared with the other
};

// The number behind `name` in a file of /proc.
int64_t Field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, name)) continue;
    std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t number = 0;
    if (words.size() > 1 && absl::SimpleAtoi(words[1], &number)) return number;
  }
  return 0;
}

// From the scheduler's own account: the time of all threads, in nanoseconds.
int64_t CpuTimeOf(const std::filesystem::path& thread) {
  std::ifstream file(thread / "schedstat");
  int64_t time = 0;
  file >> time;
  return time / 1000;
}

Usage UsageOf(pid_t pid) {
  std::string process = absl::StrCat("/proc/", pid);
  Usage usage;
  for (const auto& thread : std::filesystem::directory_iterator(process + "/task")) {
    usage.wakeups += Field(thread.path() / "status", "voluntary_ctxt_switches:");
    usage.cpu_us += CpuTimeOf(thread.path());
  }
  usage.memory =
      1024 * (Field(process + "/status", "RssAnon:") + Field(process + "/status", "RssShmem:"));
  return usage;
}

// Adds its connections to `channels`, which keep the memory that they take.
absl::Status RunIdle(const std::string& transport, int count, absl::Duration duration,
                     std::vector<Channel>& channels) {
  absl::StatusOr<Worker> worker = StartWorker(transport);
  if (!worker.ok()) return worker.status();
  pid_t pids[] = {worker->pid, getpid()};
  Usage empty[] = {UsageOf(pids[0]), UsageOf(pids[1])};
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<Channel> channel = Connect(worker->address);
    if (!channel.ok()) return channel.status();
    FerryEcho echo(*channel);
    for (size_t payload : {size_t{32}, size_t{100000}}) {
      echo.Prepare(payload);
      if (absl::Status status = echo.RoundTrip(); !status.ok()) return status;
    }
    channels.push_back(*std::move(channel));
  }
  absl::SleepFor(absl::Seconds(1));  // what follows a connection has been done
  Usage before[] = {UsageOf(pids[0]), UsageOf(pids[1])};
  absl::SleepFor(duration);
  Usage after[] = {UsageOf(pids[0]), UsageOf(pids[1])};
  int64_t all_wakeups = 0;
  double most_memory = 0;
  for (int i : {0, 1}) {
    // This process itself goes to sleep once, and reads /proc.
    int64_t wakeups = after[i].wakeups - before[i].wakeups - (i == 1 ? 1 : 0);
    double memory = static_cast<double>(before[i].memory - empty[i].memory) / count / 1024;
    absl::PrintF("%-10s %5d  %-6s %14d %12d %12.1f\n", transport, count,
                 i == 0 ? "server" : "client", wakeups,
                 i == 1 ? 0 : after[i].cpu_us - before[i].cpu_us, memory);
    all_wakeups += wakeups;
    most_memory = std::max(most_memory, memory);
  }
  double allowed = transport == "shm" ? kMostWithRings : kMostMemory;
  if (all_wakeups <= kMostWakeups && most_memory <= allowed) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("idle connections may end ", kMostWakeups,
                                          " sleeps and take ", allowed, " KiB each"));
}

absl::Status Run() {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);  // the server inherits it
  absl::Duration duration = absl::Seconds(absl::GetFlag(FLAGS_seconds));
  absl::PrintF("%-10s %5s  %-6s %14s %12s %12s\n", "over", "count", "in", "sleeps ended", "CPU us",
               "KiB each");
  std::vector<Channel> channels;
  absl::Status status = RunIdle("unix", absl::GetFlag(FLAGS_unix), duration, channels);
  if (status.ok()) {
    status = RunIdle("named-pipe", absl::GetFlag(FLAGS_named_pipe), duration, channels);
  }
  if (status.ok()) status = RunIdle("shm", absl::GetFlag(FLAGS_shm), duration, channels);
  return status;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("shows what idle connections cost");
  absl::ParseCommandLine(argc, argv);
  return ferry::ExitCode(ferry::bench::Run());
}
