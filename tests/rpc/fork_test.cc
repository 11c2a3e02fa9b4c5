// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// fork() by the program: in the forked process, what ferry made before it is refused, and
// what is made anew works; the parent notices nothing.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "ferry/rpc/call_failure.h"
#include "tests/rpc/deeds_service.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

// Whether `check` answers true in a forked process.
bool InForkedProcess(const std::function<bool()>& check) {
  pid_t forked = fork();
  if (forked == 0) _exit(check() ? 0 : 1);
  int status = -1;
  EXPECT_EQ(waitpid(forked, &status, 0), forked);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ForkTest, AChannelIsRefusedInAForkedProcess) {
  absl::StatusOr<Child> child = Spawn(DeedsChild());
  ASSERT_TRUE(child.ok()) << child.status();
  DeedsStub stub(child->channel());
  absl::Status refused(absl::StatusCode::kFailedPrecondition,
                       "ferry.test.Deeds/Look: the channel was made before fork(), and works in "
                       "the parent process only; make a new one in the forked child");
  EXPECT_TRUE(InForkedProcess([&] {
    absl::Status status = stub.Look(Nothing()).status();
    return status.code() == refused.code() && status.message() == refused.message() &&
           CallFailureOf(status)->delivery == CallFailure::Delivery::kNotSent;
  }));
  EXPECT_TRUE(stub.Look(Nothing()).ok());
}

// How many descriptors of this process are open to something else than /dev/null.
int DescriptorsInUse() {
  int in_use = 0;
  for (int fd = 0; fd < 200; ++fd) {
    char target[100] = {};
    std::string path = "/proc/self/fd/" + std::to_string(fd);
    if (readlink(path.c_str(), target, sizeof(target) - 1) < 0) continue;
    in_use += std::strcmp(target, "/dev/null") != 0;
  }
  return in_use;
}

TEST(ForkTest, AForkedProcessHasNoneOfOurDescriptors) {
  int before = DescriptorsInUse();
  absl::StatusOr<Child> child = Spawn(DeedsChild());
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_GT(DescriptorsInUse(), before);
  EXPECT_TRUE(InForkedProcess([before] { return DescriptorsInUse() == before; }));
}

// As a daemon does: forks, closes everything, opens its own, forks again.
TEST(ForkTest, WhatAForkedProcessOpensIsItsOwn) {
  absl::StatusOr<Child> child = Spawn(DeedsChild());
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(InForkedProcess([] {
    int pipe_ends[2];
    for (int fd = 3; fd < 200; ++fd) close(fd);
    return pipe(pipe_ends) == 0 &&
           InForkedProcess([] { return DescriptorsInUse() >= 2 && write(4, "x", 1) == 1; });
  }));
}

TEST(ForkTest, AForkedProcessHasInprocNamesOfItsOwn) {
  EchoServer server("inproc:parents");
  Channel channel = server.Connect();
  EXPECT_TRUE(InForkedProcess([] {
    if (!absl::IsUnavailable(Connect("inproc:parents").status())) return false;
    auto* own = new EchoServer("inproc:parents");  // left to _exit
    return EchoStub(own->Connect()).Echo(EchoRequest()).ok();
  }));
  EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
}

TEST(ForkTest, AForkedProcessLeavesTheChildAlone) {
  absl::StatusOr<Child> child = Spawn(DeedsChild());
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(InForkedProcess([&] {
    child->channel().Close();
    child->Stop();
    child = absl::UnknownError("gone");  // with all that belongs to it
    return true;
  }));
  EXPECT_TRUE(DeedsStub(child->channel()).Look(Nothing()).ok());
  EXPECT_EQ(child->Wait(absl::ZeroDuration()), std::nullopt) << "it still runs";
}

TEST(ForkTest, AForkedProcessStartsChildrenOfItsOwn) {
  absl::StatusOr<Child> child = Spawn(DeedsChild());
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(InForkedProcess([] {
    absl::StatusOr<Child> own = Spawn(DeedsChild());
    return own.ok() && DeedsStub(own->channel()).Look(Nothing()).ok() &&
           own->Stop().ToString() == "exited with code 0";
  }));
}

TEST(ForkTest, AServerIsRefusedInAForkedProcess) {
  EchoServer server("inproc:forked");
  Channel channel = server.Connect();
  DeedsImpl service;
  EXPECT_TRUE(InForkedProcess([&] {
    return EchoStub(channel).Echo(EchoRequest()).status().code() ==
           absl::StatusCode::kFailedPrecondition;
  }));
  auto idle = std::make_unique<Server>();
  idle->Register(service);
  EXPECT_TRUE(InForkedProcess([&] {
    absl::Status status = idle->Serve("parent:");
    idle->Shutdown();
    idle.reset();
    return status.message() ==
           "the server was made before fork(), and works in the parent process only; make a new "
           "one in the forked child";
  }));
  EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
}

// Threads that call hold and wait for all kinds of locks at the moment of the fork.
TEST(ForkTest, AForkInTheMidstOfCallsIsHarmless) {
  absl::StatusOr<Child> child = Spawn(DeedsChild());
  ASSERT_TRUE(child.ok()) << child.status();
  DeedsStub stub(child->channel());
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) EXPECT_TRUE(stub.Look(Nothing()).ok());
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(InForkedProcess([&] {
      bool refused = !stub.Look(Nothing()).ok();
      child = absl::UnknownError("gone");
      return refused;
    }));
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace ferry::test
