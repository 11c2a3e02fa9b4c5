// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_THREAD_H_
#define FERRY_TRANSPORT_INTERNAL_THREAD_H_

#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace ferry::internal {

// Starts a thread with every signal blocked: signals are for the program's own threads.
// Returns: RESOURCE_EXHAUSTED when the system has no thread left.
template <typename Function>
absl::StatusOr<std::thread> StartThread(Function&& function) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  absl::StatusOr<std::thread> thread;
  // std::thread reports failure in one way only. Built without exceptions it ends the
  // program, as operator new does.
  try {
    thread = std::thread(std::forward<Function>(function));
  } catch (const std::system_error& error) {
    thread = absl::ResourceExhaustedError(absl::StrCat("cannot start a thread: ", error.what()));
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return thread;
}

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_THREAD_H_
