// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_EXIT_STATUS_H_
#define FERRY_TRANSPORT_EXIT_STATUS_H_

#include <string>

namespace ferry {

// How a process ended. A plain value.
struct ExitStatus {
  enum class Kind {
    kExited,   // value: the exit code
    kKilled,   // value: the signal's number
    kUnknown,  // somebody else waited for it, or SIGCHLD is ignored in this process
  };

  Kind kind = Kind::kUnknown;
  int value = 0;

  bool ok() const { return kind == Kind::kExited && value == 0; }

  // "exited with code 3", "was killed by signal 9 (SIGKILL)".
  std::string ToString() const;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_EXIT_STATUS_H_
