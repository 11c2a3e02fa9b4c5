// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_MACHINE_H_
#define FERRY_BENCH_MACHINE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ferry::bench {

// The kernel and the CPUs, on one line.
std::string DescribeMachine();

// The program bench_worker, which lies beside this one.
std::string WorkerPath();

// Those that this process may run on.
std::vector<int> UsableCpus();

// Keeps the threads that a process has, and those that they start, on one CPU; 0 stands
// for the caller.
absl::Status PinProcess(pid_t pid, int cpu);

// What all threads of this process have used, in nanoseconds.
int64_t ProcessCpuTime();

// What reading the steady clock once takes, in nanoseconds.
int64_t ClockCost();

}  // namespace ferry::bench

#endif  // FERRY_BENCH_MACHINE_H_
