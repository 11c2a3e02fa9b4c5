// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A thread of another process, made to run instruction by instruction.

#ifndef FERRY_TESTS_SUPPORT_STEPPED_THREAD_H_
#define FERRY_TESTS_SUPPORT_STEPPED_THREAD_H_

#include <sys/types.h>

namespace ferry::test {

// What it does is for the thread that made it: ptrace knows no other. The other thread is
// let go by the end of its process only, which BodyProcess::Kill brings about.
class SteppedThread {
 public:
  // Takes the thread over; it runs on. See error().
  explicit SteppedThread(pid_t thread);
  SteppedThread(const SteppedThread&) = delete;
  SteppedThread& operator=(const SteppedThread&) = delete;

  // 0, or why it could not be taken over: EPERM where the system permits nobody to.
  int error() const { return error_; }

  // Stops it where it sleeps: it has to, sooner or later.
  void StopAsleep();
  // Lets it run until it raises `signal`, which it does not get. False if it ends instead.
  bool RunUntil(int signal);

  // From a stop, lets it run one instruction; a system call is one, however long it sleeps.
  // False, and nothing done, if it raised a signal or ended instead.
  bool Step();

 private:
  int AwaitStop();

  const pid_t thread_;
  int error_ = 0;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_STEPPED_THREAD_H_
