// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// nested_calls [--depths=1,2,8,64] [--calls=N] [--json=FILE]: how long a chain of calls takes,
// each made by the handler of the one before, back and forth between two processes on one
// connection, each of which serves with one thread. Prints a table of depths and transports:
// microseconds for the whole chain, the median. --json adds to the file, one object a line.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "chain.ferry.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/exit_code.h"
#include "ferry/rpc/server.h"
#include "ferry/rpc/spawn.h"

ABSL_FLAG(std::vector<std::string>, depths, (std::vector<std::string>{"1", "2", "8", "64"}),
          "how many calls are in each other");
ABSL_FLAG(int, calls, 300, "chains of each depth");
ABSL_FLAG(std::string, json, "", "a file to add to, one JSON object a line");
ABSL_FLAG(std::string, at, "", "serves there as the child, beside its parent");

namespace ferry::bench {
namespace {

class Chain final : public ChainService {
  absl::Status Descend(ServerContext& context, const Step& request, Step& reply) override {
    if (request.calls_below() == 0) return absl::OkStatus();
    Step next;
    next.set_calls_below(request.calls_below() - 1);
    absl::Status called = ChainStub(context.channel()).Descend(next, &reply);
    reply.set_calls_below(reply.calls_below() + 1);
    return called;
  }
};

absl::Status Serve(const std::string& address) {
  Chain chain;
  ServerOptions options;
  options.max_threads = 1;
  Server server(options);
  server.Register(chain);
  absl::Status status = server.Listen("parent:");
  if (status.ok() && address != "parent:") status = server.Listen(address);
  return status.ok() ? server.Serve() : status;
}

absl::StatusOr<double> Microseconds(const ChainStub& stub, int depth) {
  std::vector<double> times;
  Step request, reply;
  request.set_calls_below(depth - 1);
  for (int i = -10; i < absl::GetFlag(FLAGS_calls); ++i) {  // the first warm up
    auto begin = std::chrono::steady_clock::now();
    absl::Status status = stub.Descend(request, &reply);
    if (!status.ok()) return status;
    if (reply.calls_below() != depth - 1) return absl::InternalError("the chain was cut short");
    std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
    if (i >= 0) times.push_back(time.count());
    reply.Clear();
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

long ThreadsOf(const std::string& process) {
  std::filesystem::directory_iterator tasks("/proc/" + process + "/task");
  return std::distance(begin(tasks), end(tasks));
}

absl::Status MeasureOver(const std::string& name, const std::string& link, std::string address,
                         const std::string& program, FILE* json) {
  if (address.empty()) address = "parent:";
  Chain chain;
  ChannelOptions options;
  options.services = {&chain};
  options.max_threads = 1;
  options.wait_for_ready = absl::Seconds(10);
  absl::StatusOr<Child> child =
      Spawn(absl::StrCat("exec:", program, "?transport=", link, "&arg=--at=", address), options);
  if (!child.ok()) return child.status();
  absl::StatusOr<Channel> channel =
      address == "parent:" ? child->channel() : Connect(address, options);
  if (!channel.ok()) return channel.status();
  absl::PrintF("%-12s", name);
  for (const std::string& depth : absl::GetFlag(FLAGS_depths)) {
    int calls = 0;
    if (!absl::SimpleAtoi(depth, &calls) || calls < 1) {
      return absl::InvalidArgumentError(absl::StrCat("--depths has ", depth));
    }
    absl::StatusOr<double> time = Microseconds(ChainStub(*channel), calls);
    if (!time.ok()) return time.status();
    absl::PrintF("%10.1f", *time);
    if (json == nullptr) continue;
    absl::FPrintF(json,
                  R"({"system":"ferry","transport":"%s","case":"nested","depth":%d,"p50_ns":%.0f})"
                  "\n",
                  name, calls, 1e3 * *time);
  }
  absl::PrintF("   %d, %d\n", ThreadsOf("self"), ThreadsOf(std::to_string(child->pid())));
  return absl::OkStatus();
}

absl::Status Measure(const std::string& program) {
  absl::PrintF("nested calls, us for the whole chain; with all threads of either process\n%-12s",
               "depth");
  for (const std::string& depth : absl::GetFlag(FLAGS_depths)) absl::PrintF("%10s", depth);
  absl::PrintF("   threads\n");
  FILE* json = nullptr;
  if (std::string path = absl::GetFlag(FLAGS_json); !path.empty()) {
    json = fopen(path.c_str(), "a");
    if (json == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  std::string at =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/ferry-nested-", getpid());
  struct Way {
    const char *name, *link;
    std::string address;
  };
  const Way ways[] = {{"exec pipe", "pipe", ""},      {"exec stdio", "stdio", ""},
                      {"exec unix", "unix", ""},      {"exec shm", "shm", ""},
                      {"unix", "pipe", "unix:" + at}, {"named-pipe", "pipe", "named-pipe:" + at},
                      {"shm", "pipe", "shm:" + at}};
  for (const Way& way : ways) {
    absl::Status status = MeasureOver(way.name, way.link, way.address, program, json);
    if (!status.ok()) return status;
  }
  if (json != nullptr) fclose(json);
  return absl::OkStatus();
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("measures chains of calls between two processes that both serve");
  absl::ParseCommandLine(argc, argv);
  std::string at = absl::GetFlag(FLAGS_at);
  if (!at.empty()) return ferry::ExitCode(ferry::bench::Serve(at));
  return ferry::ExitCode(ferry::bench::Measure(std::filesystem::read_symlink("/proc/self/exe")));
}
