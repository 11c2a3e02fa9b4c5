// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "ferry/transport/internal/program_file.h"
#include "ferry/transport/internal/spawn_plan.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stdio_link.h"

namespace ferry {

using internal::MutexLock;
using internal::OutputTail;
using internal::SpawnPlan;
using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

// A process closes its descriptors a little before it can be reaped.
constexpr absl::Duration kEndOfProcess = absl::Seconds(1);
constexpr absl::Duration kEndOfOutput = absl::Milliseconds(100);

// How much of a captured stderr an error text shows.
constexpr size_t kShownError = 1024;

// Behind stdin, stdout, stderr and the two of the link.
constexpr int kFirstPassed = 5;

// Makes the child's `target` what the option says; a captured one is read by `tail`.
absl::Status PlanOutput(Stdio stdio, int target, SpawnPlan& plan,
                        std::unique_ptr<OutputTail>& tail) {
  if (stdio == Stdio::kInherit) return absl::OkStatus();
  if (stdio == Stdio::kNull) {
    plan.Open("/dev/null", O_WRONLY, target);
    return absl::OkStatus();
  }
  int ends[2];
  if (sys::Pipe(ends) != 0) return absl::ErrnoToStatus(errno, "pipe for captured output");
  UniqueFd read_end(ends[0]);
  absl::Status placed = plan.Place(UniqueFd(ends[1]), target);
  if (!placed.ok()) return placed;
  absl::StatusOr<std::unique_ptr<OutputTail>> started = OutputTail::Start(std::move(read_end));
  if (!started.ok()) return started.status();
  tail = *std::move(started);
  return absl::OkStatus();
}

// The descriptors that the options pass on, from kFirstPassed.
absl::Status PlanPassed(const ChildOptions& options, SpawnPlan& plan) {
  int target = kFirstPassed;
  for (int fd : options.descriptors) {
    UniqueFd ours(
        sys::DuplicateFrom(fd, kFirstPassed + static_cast<int>(options.descriptors.size())));
    if (!ours.valid()) return absl::ErrnoToStatus(errno, "descriptor to be passed to a child");
    absl::Status placed = plan.Place(std::move(ours), target++);
    if (!placed.ok()) return placed;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const ChildOptions& options,
                                                                  LinkEnds ends) {
  absl::Status valid = CheckChildOptions(options);
  if (!valid.ok()) return valid;
  std::unique_ptr<ChildProcess> child(new ChildProcess(options));
  absl::Status spawned = child->Spawn(options, std::move(ends));
  if (!spawned.ok()) return spawned;
  return child;
}

ChildProcess::ChildProcess(const ChildOptions& options) : grace_(options.grace) {}

absl::Status ChildProcess::Spawn(const ChildOptions& options, LinkEnds ends) {
  SpawnPlan plan(kFirstPassed + static_cast<int>(options.descriptors.size()));
  if (!options.working_directory.empty()) plan.ChangeDirectory(options.working_directory);
  if (options.standard_input == Stdio::kNull) plan.Open("/dev/null", O_RDONLY, STDIN_FILENO);
  absl::Status planned = PlanOutput(options.standard_output, STDOUT_FILENO, plan, output_);
  if (planned.ok()) planned = PlanOutput(options.standard_error, STDERR_FILENO, plan, error_);
  for (int fd = STDERR_FILENO + 1; fd < kFirstPassed; ++fd) plan.Leave(fd);
  for (LinkEnds::Descriptor& end : ends.descriptors) {
    if (planned.ok()) planned = plan.Place(std::move(end.fd), end.target);
  }
  if (planned.ok()) planned = PlanPassed(options, plan);
  if (!planned.ok()) return planned;

  int error = plan.Run(options, absl::StrCat(kParentVariable, "=", ends.link), pid_);
  if (error != 0) return internal::ExplainNoStart(error, options);
  description_ = absl::StrCat("child ", pid_, " (", options.program, ")");
  pid_fd_ = UniqueFd(sys::PidFdOpen(pid_));
  if (pid_fd_.valid()) return absl::OkStatus();
  if (errno == ESRCH) {
    // It has ended, and SIGCHLD is ignored in this process.
    MutexLock lock(mutex_);
    exit_ = ExitStatus{};
    return absl::OkStatus();
  }
  absl::Status status = absl::ErrnoToStatus(
      errno, absl::StrCat("cannot watch '", options.program, "' after its start: pidfd_open"));
  sys::KillAndReap(pid_);
  return status;
}

ChildProcess::~ChildProcess() {
  if (pid_fd_.valid()) Stop();
  if (fork_mark_.IsForked()) {
    // Their threads are not in this process.
    static_cast<void>(output_.release());
    static_cast<void>(error_.release());
  }
}

void ChildProcess::TryReap() {
  if (exit_.has_value()) return;
  siginfo_t info = {};
  if (sys::WaitId(pid_fd_.get(), &info, WEXITED | WNOHANG) != 0) {
    if (errno == ECHILD) exit_ = ExitStatus{ExitStatus::Kind::kUnknown, 0};
    return;
  }
  if (info.si_pid == 0) return;
  exit_ =
      ExitStatus{info.si_code == CLD_EXITED ? ExitStatus::Kind::kExited : ExitStatus::Kind::kKilled,
                 info.si_status};
}

std::optional<ExitStatus> ChildProcess::Wait(Deadline deadline) {
  if (fork_mark_.IsForked()) return ExitStatus{};
  for (;;) {
    {
      MutexLock lock(mutex_);
      TryReap();
      if (exit_.has_value()) return exit_;
    }
    if (HasPassed(deadline)) return std::nullopt;
    struct pollfd ended = {pid_fd_.get(), POLLIN, 0};
    sys::Poll(&ended, 1, deadline);
  }
}

ExitStatus ChildProcess::Stop() {
  ExitStatus exit = MakeEnd();
  if (fork_mark_.IsForked()) return exit;
  for (OutputTail* tail : {output_.get(), error_.get()}) {
    if (tail != nullptr) tail->AwaitEnd(DeadlineAfter(kEndOfOutput));
  }
  return exit;
}

ExitStatus ChildProcess::MakeEnd() {
  for (int signal : {SIGTERM, SIGKILL}) {
    if (std::optional<ExitStatus> exit = Wait(DeadlineAfter(grace_))) return *exit;
    sys::SendSignal(pid_fd_.get(), signal);
    sys::SendSignal(pid_fd_.get(), SIGCONT);  // a stopped process handles nothing but SIGKILL
  }
  return *Wait(kNoDeadline);
}

absl::Status ChildProcess::ExplainEnd(Deadline deadline) {
  Deadline patience = std::max(deadline, DeadlineAfter(kEndOfProcess / 10));
  std::optional<ExitStatus> exit = Wait(std::min(patience, DeadlineAfter(kEndOfProcess)));
  std::string text = absl::StrCat(
      description_, " ", exit ? exit->ToString() : "closed the connection, but still runs");
  if (error_ != nullptr) {
    if (exit) error_->AwaitEnd(DeadlineAfter(kEndOfOutput));
    std::string tail = error_->Tail();
    absl::string_view shown = absl::StripAsciiWhitespace(tail);
    if (shown.size() > kShownError) {
      shown.remove_prefix(shown.size() - kShownError);
      shown.remove_prefix(shown.find('\n') + 1);  // whole lines, if there is one
    }
    if (!shown.empty()) absl::StrAppend(&text, "; its stderr ends with: ", shown);
  }
  return absl::UnavailableError(text);
}

}  // namespace ferry
