// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "pair.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

namespace ferry::bench {
namespace {

double CpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec time = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    Fail("a process's CPU time cannot be read");
  }
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

void Fail(const std::string& why) {
  fprintf(stderr, "%s\n", why.c_str());
  _exit(1);
}

int PairMain(Pair& pair, int argc, char** argv) {
  if (argc != 3) Fail("usage: PROGRAM CALLS IN_FLIGHT");
  const int calls = atoi(argv[1]);
  const int in_flight = std::min(atoi(argv[2]), pair.most_in_flight());

  std::string folder = std::filesystem::temp_directory_path() / "ferry-bench-XXXXXX";
  int ready[2];
  if (mkdtemp(folder.data()) == nullptr || pipe(ready) != 0) Fail("no folder or pipe to be had");
  const std::string path = folder + "/echo";
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) Fail("no process to be had");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    pair.Serve(path, [&] {
      if (write(ready[1], "", 1) != 1) _exit(1);
    });
    _exit(1);
  }
  close(ready[1]);
  char byte;
  if (read(ready[0], &byte, 1) != 1) Fail("the server did not start");

  pair.Connect(path);
  pair.Run(calls / 10 + 1, in_flight);
  const double cpu = CpuSeconds(getpid()) + CpuSeconds(child);
  const auto begin = std::chrono::steady_clock::now();
  pair.Run(calls, in_flight);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  printf("%.9f %.9f %d\n", time.count(), CpuSeconds(getpid()) + CpuSeconds(child) - cpu, in_flight);
  fflush(stdout);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  pair.End();
  std::filesystem::remove_all(folder);
  _exit(0);  // whatever threads there are
}

}  // namespace ferry::bench
