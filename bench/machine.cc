// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ferry::bench {

std::string DescribeMachine() {
  struct utsname name = {};
  uname(&name);
  return absl::StrCat(name.sysname, " ", name.release, " ", name.machine, ", ",
                      sysconf(_SC_NPROCESSORS_ONLN),
                      " CPUs, usable: ", absl::StrJoin(UsableCpus(), " "));
}

std::string WorkerPath() {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.replace_filename("bench_worker").string();
}

std::vector<int> UsableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

absl::Status PinProcess(pid_t pid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  std::error_code error;
  std::string process = pid == 0 ? "self" : absl::StrCat(pid);
  std::filesystem::directory_iterator threads(absl::StrCat("/proc/", process, "/task"), error);
  for (const auto& thread : threads) {
    pid_t id = std::atoi(thread.path().filename().c_str());
    if (sched_setaffinity(id, sizeof(set), &set) == 0 || errno == ESRCH) continue;
    return absl::ErrnoToStatus(errno, absl::StrCat("pin process ", process, " to CPU ", cpu));
  }
  return absl::OkStatus();
}

int64_t ProcessCpuTime() {
  struct timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return int64_t{1000000000} * time.tv_sec + time.tv_nsec;
}

int64_t ClockCost() {
  constexpr int kReadings = 10000;
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  Clock::time_point end = begin;
  for (int i = 0; i < kReadings; ++i) end = Clock::now();
  return (end - begin) / std::chrono::nanoseconds(kReadings);
}

}  // namespace ferry::bench
