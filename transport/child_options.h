// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_CHILD_OPTIONS_H_
#define FERRY_TRANSPORT_CHILD_OPTIONS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/transport/shm_options.h"

namespace ferry {

enum class Stdio {
  kInherit,  // the parent's
  kNull,     // /dev/null
  kCapture,  // its tail is kept for ChildProcess::captured_…; not for stdin
};

// What carries the calls between a parent and its child.
enum class ChildLinkKind {
  kPipes,  // two pipes on descriptors of their own, 3 and 4 in the child
  kStdio,  // the child's stdin and stdout
  kUnix,   // a socket, 3 in the child
  kShm,    // shared memory, with a socket beside it
};

struct ChildOptions {
  // A path, or a name to look up in this process's PATH.
  std::string program;
  // Those after the program's name. Any bytes but NUL.
  std::vector<std::string> arguments;

  ChildLinkKind link = ChildLinkKind::kPipes;
  // Of kShm, for both directions.
  ShmOptions shm;

  // The first two are kInherit if `link` is kStdio.
  Stdio standard_input = Stdio::kInherit;
  Stdio standard_output = Stdio::kInherit;
  Stdio standard_error = Stdio::kInherit;

  // The child's environment is this process's, unless told otherwise, with `environment`
  // (name to value) on top.
  bool inherit_environment = true;
  std::map<std::string, std::string> environment;

  // The child starts here; "" is this process's. A relative `program` is looked up from
  // this process's all the same.
  std::string working_directory;

  // Descriptors of this process, which the child has as 5, 6, … in their order. They stay
  // open here.
  std::vector<int> descriptors;

  // Stop and the destructor wait this long before SIGTERM, and again before SIGKILL.
  absl::Duration grace = absl::Seconds(1);
};

// Returns: INVALID_ARGUMENT for what no child can be started with.
absl::Status CheckChildOptions(const ChildOptions& options);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_CHILD_OPTIONS_H_
