// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/stepped_thread.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <thread>

namespace ferry::test {
namespace {

bool Sleeps(pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(file, line);
  size_t name_end = line.rfind(") ");
  return name_end != std::string::npos && line[name_end + 2] == 'S';
}

}  // namespace

SteppedThread::SteppedThread(pid_t thread) : thread_(thread) {
  if (ptrace(PTRACE_SEIZE, thread_, nullptr, PTRACE_O_EXITKILL) != 0) error_ = errno;
}

void SteppedThread::StopAsleep() {
  while (!Sleeps(thread_)) std::this_thread::yield();
  EXPECT_EQ(ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr), 0);
  EXPECT_EQ(AwaitStop(), SIGTRAP);
}

bool SteppedThread::RunUntil(int signal) {
  int stopped_by = 0;
  do {
    // It runs now, or was stopped by another signal.
    if (stopped_by != 0 && ptrace(PTRACE_CONT, thread_, nullptr, nullptr) != 0) return false;
    stopped_by = AwaitStop();
  } while (stopped_by > 0 && stopped_by != signal);
  return stopped_by == signal;
}

bool SteppedThread::Step() {
  return ptrace(PTRACE_SINGLESTEP, thread_, nullptr, nullptr) == 0 && AwaitStop() == SIGTRAP;
}

// Answers by which signal, -1 if it has ended.
int SteppedThread::AwaitStop() {
  int status = 0;
  pid_t waited;
  do {
    waited = waitpid(thread_, &status, __WALL);
  } while (waited < 0 && errno == EINTR);
  return waited == thread_ && WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
}

}  // namespace ferry::test
