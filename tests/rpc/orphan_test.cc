// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A parent that is killed leaves no child behind, whatever the child is doing.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "tests/rpc/deeds_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

// Makes this process the one that orphans fall to, so that a test can wait for them.
class Orphanage {
 public:
  Orphanage() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Orphanage() { prctl(PR_SET_CHILD_SUBREAPER, 0); }

  // How the orphan ended. It is no child of ours before its parent is gone.
  int Await(pid_t orphan) {
    int status = -1;
    while (waitpid(orphan, &status, 0) < 0) std::this_thread::yield();
    return status;
  }
};

// The pid that a body has printed, and its last words.
pid_t PidIn(const absl::Status& status) {
  std::string text(status.message());
  size_t at = text.find("ends with: ");
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? -1 : atoi(text.c_str() + at + 11);
}

// Starts a worker with `body`, lets it do `deed`, says its pid and is killed.
template <typename Deed>
int KilledWhile(const char* body, const Deed& deed, ChildLinkKind link = ChildLinkKind::kPipes) {
  ChildOptions options = DeedsChild();
  options.link = link;
  options.arguments = {ChildFlag(body)};
  absl::StatusOr<Child> child = Spawn(options);
  if (!child.ok()) return ExitCode(child.status());
  std::fprintf(stderr, "%d\n", child->pid());
  deed(DeedsStub(child->channel()));
  kill(getpid(), SIGKILL);
  return 0;
}

// The handler runs, since nothing but a reply says so, when the call has timed out.
template <typename Method>
void Begin(const DeedsStub& stub, Method method) {
  CallOptions options;
  options.timeout = absl::Milliseconds(50);
  EXPECT_EQ((stub.*method)(Nothing(), options).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}
using Call = absl::StatusOr<Nothing> (DeedsStub::*)(const Nothing&, const CallOptions&) const;

int StatusOfOrphanOf(const std::string& parent) {
  Orphanage orphanage;
  absl::Status status = Connect(ChildAddress(parent) + "&stderr=capture").status();
  EXPECT_TRUE(absl::StrContains(status.message(), "killed by signal 9")) << status;
  return orphanage.Await(PidIn(status));
}

CHILD_BODY(ParentOfAnIdleChild) {
  return KilledWhile("Deeds", [](const DeedsStub&) {});
}
TEST(OrphanTest, AnIdleChildEnds) {
  EXPECT_EQ(StatusOfOrphanOf("ParentOfAnIdleChild"), 0) << "by itself, as if it were told to";
}

CHILD_BODY(ParentOfAHangingChild) {
  return KilledWhile("DeedsShortGrace",
                     [](const DeedsStub& stub) { Begin(stub, Call(&DeedsStub::Hang)); });
}
TEST(OrphanTest, AChildWhoseHandlerHangsEndsAfterTheGrace) {
  int status = StatusOfOrphanOf("ParentOfAHangingChild");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
}

CHILD_BODY(ParentOfAChildThatHangsAside) {
  return KilledWhile("DeedsShortGrace",
                     [](const DeedsStub& stub) { Begin(stub, Call(&DeedsStub::HangAside)); });
}
TEST(OrphanTest, AChildWhoseBlockingHandlerHangsEndsAfterTheGrace) {
  int status = StatusOfOrphanOf("ParentOfAChildThatHangsAside");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
}

CHILD_BODY(ParentOfAHangingChildOnStdio) {
  return KilledWhile(
      "DeedsOnStdioShortGrace", [](const DeedsStub& stub) { Begin(stub, Call(&DeedsStub::Hang)); },
      ChildLinkKind::kStdio);
}
TEST(OrphanTest, AChildOnStdioWhoseHandlerHangsEndsAfterTheGrace) {
  int status = StatusOfOrphanOf("ParentOfAHangingChildOnStdio");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
}

// Another process holds the parent's end of the link, so the child sees no end there.
void CloneRaw(const DeedsStub& stub) {
  stub.Look(Nothing()).status().IgnoreError();
  long clone = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (clone == 0) {
    sleep(1000);
    _exit(0);
  }
  std::fprintf(stderr, "%ld\n", clone);
}
CHILD_BODY(ParentWhosePipesLiveOn) { return KilledWhile("Deeds", CloneRaw); }
CHILD_BODY(ParentWhoseSocketLivesOn) {
  return KilledWhile("Deeds", CloneRaw, ChildLinkKind::kUnix);
}
CHILD_BODY(ParentWhoseMemoryLivesOn) { return KilledWhile("Deeds", CloneRaw, ChildLinkKind::kShm); }

void EndsThoughItsLinkIsHeldBySomebodyAfter(const char* parent) {
  Orphanage orphanage;
  absl::Status status = Connect(ChildAddress(parent) + "&stderr=capture").status();
  EXPECT_EQ(orphanage.Await(PidIn(status)), 0);
  std::string text(status.message());
  pid_t holder = atoi(text.c_str() + text.find('\n') + 1);
  ASSERT_GT(holder, 1) << text;
  EXPECT_EQ(kill(holder, SIGKILL), 0);
  orphanage.Await(holder);
}
TEST(OrphanTest, AChildEndsThoughSomebodyHoldsItsPipes) {
  EndsThoughItsLinkIsHeldBySomebodyAfter("ParentWhosePipesLiveOn");
}
TEST(OrphanTest, AChildEndsThoughSomebodyHoldsItsSocket) {
  EndsThoughItsLinkIsHeldBySomebodyAfter("ParentWhoseSocketLivesOn");
}
TEST(OrphanTest, AChildEndsThoughSomebodyHoldsItsMemory) {
  EndsThoughItsLinkIsHeldBySomebodyAfter("ParentWhoseMemoryLivesOn");
}

CHILD_BODY(ParentOfAHangingChildOverShm) {
  return KilledWhile(
      "DeedsShortGrace", [](const DeedsStub& stub) { Begin(stub, Call(&DeedsStub::Hang)); },
      ChildLinkKind::kShm);
}
TEST(OrphanTest, AChildOverSharedMemoryWhoseHandlerHangsEndsAfterTheGrace) {
  int status = StatusOfOrphanOf("ParentOfAHangingChildOverShm");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
}

// fork() by the parent keeps nothing of ours open in the forked process.
CHILD_BODY(ParentThatHasForked) {
  return KilledWhile("Deeds", [](const DeedsStub&) {
    pid_t forked = fork();
    if (forked == 0) {
      sleep(1000);
      _exit(0);
    }
    std::fprintf(stderr, "%d\n", forked);
  });
}
TEST(OrphanTest, AForkedProcessHoldsNoPipes) {
  Orphanage orphanage;
  absl::Status status = Connect(ChildAddress("ParentThatHasForked") + "&stderr=capture").status();
  std::string text(status.message());
  pid_t forked = atoi(text.c_str() + text.find('\n') + 1);
  ASSERT_GT(forked, 1) << text;
  EXPECT_EQ(orphanage.Await(PidIn(status)), 0);
  EXPECT_EQ(kill(forked, SIGKILL), 0);
  orphanage.Await(forked);
}

}  // namespace
}  // namespace ferry::test
