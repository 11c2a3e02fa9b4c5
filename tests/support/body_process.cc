// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/body_process.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

std::string LineFrom(FILE* file) {
  std::string line;
  for (int byte; (byte = std::fgetc(file)) != EOF && byte != '\n';) {
    line.push_back(static_cast<char>(byte));
  }
  return line;
}

}  // namespace

BodyProcess::BodyProcess(const std::string& body, const std::vector<std::string>& variables) {
  int out[2], in[2];
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
  std::string program = SelfPath(), flag = ChildFlag(body);
  char* arguments[] = {program.data(), flag.data(), nullptr};
  std::vector<char*> environment;
  for (const std::string& variable : variables) {
    environment.push_back(const_cast<char*>(variable.c_str()));
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environment.data()),
            0);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  from_ = fdopen(out[0], "r");
  to_ = fdopen(in[1], "w");
}

BodyProcess::~BodyProcess() {
  if (pid_ > 0) Kill();
  std::fclose(from_);
  std::fclose(to_);
}

std::string BodyProcess::ReadLine() { return LineFrom(from_); }

void BodyProcess::WriteLine(const std::string& line) {
  std::fputs((line + "\n").c_str(), to_);
  std::fflush(to_);
}

void BodyProcess::Signal(int signal) {
  ASSERT_GT(pid_, 0) << "it has ended";  // and kill(-1, …) would end everything
  EXPECT_EQ(kill(pid_, signal), 0);
}

void BodyProcess::Kill() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Wait();
}

int BodyProcess::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string Variable(const char* name) {
  const char* value = getenv(name);
  if (value != nullptr) return value;
  std::cerr << "this body needs the environment variable " << name << "\n";
  std::abort();
}

void SayLine(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string HearLine() { return LineFrom(stdin); }

void BecomeOrdinaryUser() {
  if (geteuid() != 0) return;
  bool became = setgroups(0, nullptr) == 0 &&
                setresgid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) == 0 &&
                setresuid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) == 0 &&
                // Its /proc/self is root's otherwise, unlike that of a program started as user.
                prctl(PR_SET_DUMPABLE, 1) == 0;
  if (!became) std::abort();
}

}  // namespace ferry::test
