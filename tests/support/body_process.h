// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A process with a CHILD_BODY of this program, to talk with in lines and to be killed:
//
//   BodyProcess server("Serves", {"AT=unix:/tmp/x"});
//   EXPECT_EQ(server.ReadLine(), "ready");
//   server.Kill(SIGKILL);

#ifndef FERRY_TESTS_SUPPORT_BODY_PROCESS_H_
#define FERRY_TESTS_SUPPORT_BODY_PROCESS_H_

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace ferry::test {

// Thread-compatible.
class BodyProcess {
 public:
  // `variables` are added to the environment.
  BodyProcess(const std::string& body, const std::vector<std::string>& variables);
  // Kills it if it still runs.
  ~BodyProcess();
  BodyProcess(const BodyProcess&) = delete;
  BodyProcess& operator=(const BodyProcess&) = delete;

  pid_t pid() const { return pid_; }
  // The next line of its stdout; "" at the end.
  std::string ReadLine();
  void WriteLine(const std::string& line);
  void Signal(int signal);
  // Kills and reaps it, unless it has ended.
  void Kill();
  // Its exit status, or less than 0 for the signal that ended it.
  int Wait();

 private:
  pid_t pid_ = -1;
  FILE* from_ = nullptr;
  FILE* to_ = nullptr;
};

// For bodies. An environment variable, which must be there.
std::string Variable(const char* name);
// Prints a line that BodyProcess::ReadLine reads.
void SayLine(const std::string& line);
// The next line that BodyProcess::WriteLine wrote; "" at the end.
std::string HearLine();

// The user that a body runs as after BecomeOrdinaryUser when the test runs as root.
inline constexpr uid_t kOrdinaryUser = 65534;
// Does nothing unless it runs as root.
void BecomeOrdinaryUser();

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_BODY_PROCESS_H_
