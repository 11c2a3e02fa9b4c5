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
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/transport/child_options.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/exit_status.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/output_tail.h"
#include "ferry/transport/peer_process.h"

namespace ferry {

// The process has every signal at its default and none blocked, and no descriptor of
// this process but those said to be passed. SIGCHLD is not touched; a program that
// ignores it, or waits for any child, takes the exit status away but nothing more.
// Thread contract: thread-safe.
class ChildProcess final : public PeerProcess {
 public:
  // The child's half of its link, beside its arguments: descriptors, and what tells it of
  // them, the value of FERRY_PARENT.
  struct LinkEnds {
    struct Descriptor {
      internal::UniqueFd fd;
      int target;  // its number there, less than 5
    };
    std::vector<Descriptor> descriptors;
    std::string link;
  };

  // Returns: NOT_FOUND — there is no such program, or no interpreter for it;
  // PERMISSION_DENIED — it may not be executed; FAILED_PRECONDITION — it is no program
  // for this machine; INVALID_ARGUMENT — bad options; RESOURCE_EXHAUSTED — no process or
  // descriptor left; else what errno says. The text names the program, and says what is
  // wrong with it.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const ChildOptions& options,
                                                             LinkEnds ends);

  // Stops the child if it still runs, and reaps it.
  ~ChildProcess() override;

  pid_t pid() const { return pid_; }

  // "child 4711 (worker)".
  const std::string& description() const { return description_; }

  // Sleeps until the child has ended and says how; nullopt at the deadline.
  std::optional<ExitStatus> Wait(Deadline deadline);

  // Waits for the grace, then asks it to end, then makes it. What it has written to
  // captured outputs has arrived then. In a process that was forked
  // since the start it does nothing: the child is not its child.
  ExitStatus Stop();

  // The last bytes of what was captured, "" if nothing was. At most 64 KiB.
  std::string captured_output() const { return TailOf(output_); }
  std::string captured_error() const { return TailOf(error_); }

  int pid_fd() const override { return pid_fd_.get(); }

  // UNAVAILABLE with how the child ended, and the end of its captured stderr. For a
  // connection that has just broken: waits a moment for the end of the process.
  absl::Status ExplainEnd(Deadline deadline) override;

 private:
  explicit ChildProcess(const ChildOptions& options);

  absl::Status Spawn(const ChildOptions& options, LinkEnds ends);
  std::string TailOf(const std::unique_ptr<internal::OutputTail>& tail) const {
    return tail == nullptr || fork_mark_.IsForked() ? "" : tail->Tail();
  }
  ExitStatus MakeEnd();
  void TryReap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after Start.
  const internal::ForkMark fork_mark_;
  const absl::Duration grace_;
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
