// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// ChildProcess: a program started by this one, and reaped without fail.

#ifndef FERRY_TRANSPORT_CHILD_PROCESS_H_
#define FERRY_TRANSPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/exit_status.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/output_tail.h"

namespace ferry {

enum class Stdio {
  kInherit,  // the parent's
  kNull,     // /dev/null
  kCapture,  // its tail is kept for ChildProcess::captured_…; not for stdin
};

struct ChildOptions {
  // A path, or a name to look up in PATH.
  std::string program;
  // Those after the program's name. Any bytes but NUL.
  std::vector<std::string> arguments;

  Stdio standard_input = Stdio::kInherit;
  Stdio standard_output = Stdio::kInherit;
  Stdio standard_error = Stdio::kInherit;

  // Stop and the destructor wait this long before SIGTERM, and again before SIGKILL.
  absl::Duration grace = absl::Seconds(1);
};

// The process has every signal at its default and none blocked, and no descriptor of
// this process but those said to be passed. SIGCHLD is not touched; a program that
// ignores it, or waits for any child, takes the exit status away but nothing more.
// Thread contract: thread-safe.
class ChildProcess {
 public:
  // What the child gets beside its arguments: descriptors of ours, which become 3, 4, …
  // there in their order, and one more environment variable.
  struct Inheritance {
    std::vector<internal::UniqueFd> descriptors;
    std::string variable;  // "NAME=value"
  };

  // Returns: NOT_FOUND — there is no such program; PERMISSION_DENIED — it may not be
  // executed; INVALID_ARGUMENT — bad options; RESOURCE_EXHAUSTED — no process or
  // descriptor left; else what errno says. The text names the program.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const ChildOptions& options,
                                                             Inheritance inheritance);

  // Stops the child if it still runs, and reaps it.
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  // "child 4711 (worker)".
  const std::string& description() const { return description_; }

  // Sleeps until the child has ended and says how; nullopt at the deadline.
  std::optional<ExitStatus> Wait(Deadline deadline);

  // Waits for the grace, then asks it to end, then makes it.
  ExitStatus Stop();

  // The last bytes of what was captured, "" if nothing was. At most 64 KiB.
  std::string captured_output() const { return output_ ? output_->Tail() : ""; }
  std::string captured_error() const { return error_ ? error_->Tail() : ""; }

  // UNAVAILABLE with how the child ended, and the end of its captured stderr. For a
  // connection that has just broken: waits a moment for the end of the process.
  absl::Status ExplainEnd();

 private:
  explicit ChildProcess(const ChildOptions& options);

  absl::Status Spawn(const ChildOptions& options, Inheritance inheritance);
  void TryReap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after Start.
  absl::Duration grace_;
  pid_t pid_ = -1;
  std::string description_;
  internal::UniqueFd pid_fd_;
  std::unique_ptr<internal::OutputTail> output_;
  std::unique_ptr<internal::OutputTail> error_;

  internal::Mutex mutex_;
  std::optional<ExitStatus> exit_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_CHILD_PROCESS_H_
