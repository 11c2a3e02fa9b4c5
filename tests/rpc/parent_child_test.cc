// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A parent and the children it starts, real processes all.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/spawn.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

CHILD_BODY(Worker) {
  EchoImpl service;
  Server server;
  server.Register(service);
  return ExitCode(server.Serve("parent:"));
}

CHILD_BODY(WorkerOnStdio) {
  EchoImpl service;
  Server server;
  server.Register(service);
  return ExitCode(server.Serve("stdio:"));
}

CHILD_BODY(WorkerSaysItsPeer) {
  ServerOptions options;
  options.admit = [](const Peer& peer) {
    std::fprintf(stderr, "%s", peer.description.c_str());
    _exit(0);
    return absl::OkStatus();
  };
  Server server(options);
  return ExitCode(server.Serve("parent:"));
}

ChildOptions Body(const std::string& name) {
  ChildOptions options;
  options.program = SelfPath();
  options.arguments = {ChildFlag(name)};
  return options;
}

TEST(ParentChildTest, AChildServesItsParent) {
  absl::StatusOr<Child> child = Spawn(Body("Worker"));
  ASSERT_TRUE(child.ok()) << child.status();
  EchoRequest request;
  request.set_payload(std::string(3000000, 'p'));
  absl::StatusOr<EchoReply> reply = EchoStub(child->channel()).Echo(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->payload() == request.payload());
  EXPECT_EQ(reply->pid(), child->pid());
  EXPECT_NE(reply->pid(), getpid());
  EXPECT_EQ(child->channel().peer().pid, child->pid());
  EXPECT_EQ(child->Wait(absl::ZeroDuration()), std::nullopt);
  EXPECT_EQ(child->Stop().ToString(), "exited with code 0");
}

TEST(ParentChildTest, AnAddressAloneStartsAndStopsAChild) {
  absl::StatusOr<Channel> channel = Connect(ChildAddress("Worker"));
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_TRUE(EchoStub(*channel).Echo(EchoRequest()).ok());
  // The end of the test finds no child.
}

TEST(ParentChildTest, EveryLinkCarriesCalls) {
  EchoRequest request;
  request.set_payload(std::string(3000000, 'p'));
  for (const char* link : {"pipe", "stdio", "unix", "shm", "shm&ring=4KiB", "shm&ring=1MiB",
                           "shm&trusted=1", "shm&spin=0"}) {
    SCOPED_TRACE(link);
    const char* body = absl::string_view(link) == "stdio" ? "WorkerOnStdio" : "Worker";
    absl::StatusOr<Channel> channel =
        Connect(absl::StrCat(ChildAddress(body), "&transport=", link));
    ASSERT_TRUE(channel.ok()) << channel.status();
    absl::StatusOr<EchoReply> reply = EchoStub(*channel).Echo(request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_TRUE(reply->payload() == request.payload());
    EXPECT_EQ(reply->pid(), channel->peer().pid);
  }
}

TEST(ParentChildTest, TheRingsOfBothEndsAreAsLargeAsTheAddressSays) {
  absl::StatusOr<Channel> channel =
      Connect(ChildAddress("WorkerSaysItsPeer") + "&transport=shm&ring=192KiB&stderr=capture");
  EXPECT_TRUE(absl::StrContains(channel.status().message(),
                                absl::StrCat("parent ", getpid(), " [ring=192KiB]")))
      << channel.status();
}

// A handler that loses its CPU for some milliseconds looks slow and costs the lead, but on a
// machine however busy that does not happen all the time.
TEST(ParentChildTest, QuickHandlersRunOnOneThread) {
  absl::StatusOr<Child> child = Spawn(Body("Worker"));
  ASSERT_TRUE(child.ok()) << child.status();
  EchoStub stub(child->channel());
  constexpr int kRounds = 50;
  int rounds_with_hops = 0;
  for (int round = 0; round < kRounds; ++round) {
    auto thread = stub.Echo(EchoRequest())->thread();
    if (round == 0) {
      EXPECT_EQ(thread, child->pid()) << "it is not the first";
    }
    bool hopped = false;
    for (int i = 0; i < 100; ++i) hopped |= stub.Echo(EchoRequest())->thread() != thread;
    if (hopped) ++rounds_with_hops;
  }
  EXPECT_LT(rounds_with_hops, kRounds / 2);
}

CHILD_BODY(WorkerOfTwoThreads) {
  EchoImpl service;
  ServerOptions options;
  options.max_threads = 2;
  Server server(options);
  server.Register(service);
  return ExitCode(server.Serve("parent:"));
}
TEST(ParentChildTest, EachThreadOfAServerServesAgainAndAgain) {
  absl::StatusOr<Child> child = Spawn(Body("WorkerOfTwoThreads"));
  ASSERT_TRUE(child.ok()) << child.status();
  EchoStub stub(child->channel());
  for (int i = 1; i <= 5; ++i) {
    std::thread caller([&] { EXPECT_TRUE(stub.Block(Empty()).ok()); });
    while (stub.Echo(EchoRequest())->blocked() < i) std::this_thread::yield();
    EXPECT_TRUE(stub.Release(Empty()).ok());
    caller.join();
  }
}

TEST(ParentChildTest, AMissingProgramIsLookedUpInThePath) {
  absl::Status status = Connect("exec:no-such-program").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find("cannot start 'no-such-program', looked up in PATH="),
            std::string::npos);
}

// A hello of version 7, byte by byte.
CHILD_BODY(SpeaksAnotherVersion) {
  char frame[kFrameHeaderSize];
  const char hello[] = {0x08, 7, 0x10, 9};  // min_version 7, max_version 9
  FrameHeader header;
  header.type = FrameType::kHello;
  header.length = sizeof(hello);
  header.method = kHelloMagic;
  EncodeFrameHeader(header, frame);
  bool written = write(4, frame, sizeof(frame)) > 0 && write(4, hello, sizeof(hello)) > 0;
  return written ? (sleep(20), 0) : 1;
}
TEST(ParentChildTest, AnotherVersionIsRefused) {
  absl::Status status = Connect(ChildAddress("SpeaksAnotherVersion")).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("): it speaks versions 7 to 9 of ferry's protocol, this side "
                                  "speaks version 1"),
            std::string::npos)
      << status;
}

TEST(ParentChildTest, AWorkerStartedByHandSaysHowItIsStarted) {
  EchoImpl service;
  Server server;
  server.Register(service);
  absl::Status status = server.Serve("parent:");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("Start it through ferry"), std::string::npos);
}

TEST(ParentChildTest, AFalseLinkIsRefused) {
  for (const char* link : {"pipe:", "pipe:3", "pipe:0,1", "pipe:3,4000", "unix:3,4", "pipe:3,4,5",
                           "pipe:3,3", "stdio:1,1", "unix:", "unix:4000", "shm:4000",
                           "shm:3?ring=0", "shm:3?ring=1GiB&trusted=1", "tcp:3"}) {
    setenv("FERRY_PARENT", link, 1);
    Server server;
    absl::Status status = server.Serve("parent:");
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_NE(status.message().find(link), std::string::npos) << status;
    EXPECT_EQ(getenv("FERRY_PARENT"), nullptr);
  }
}

TEST(ParentChildTest, AKilledChildFailsEveryCallOnceWithTheReason) {
  absl::StatusOr<Child> child = Spawn(Body("Worker"));
  ASSERT_TRUE(child.ok()) << child.status();
  std::vector<std::thread> callers;
  std::atomic<int> failed{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      absl::Status status = EchoStub(child->channel()).Block(Empty()).status();
      EXPECT_EQ(status.code(), StatusCode::kUnavailable);
      EXPECT_EQ(status.message(), "ferry.test.Echo/Block: child " + std::to_string(child->pid()) +
                                      " (" + SelfPath() + ") was killed by signal 9 (SIGKILL)");
      EXPECT_EQ(CallFailureOf(status)->delivery, CallFailure::Delivery::kMaybeExecuted);
      ++failed;
    });
  }
  while (EchoStub(child->channel()).Echo(EchoRequest())->blocked() < 4) std::this_thread::yield();
  kill(child->pid(), SIGKILL);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(failed, 4);
  EXPECT_EQ(child->Wait(absl::InfiniteDuration())->ToString(), "was killed by signal 9 (SIGKILL)");
  absl::Status later = EchoStub(child->channel()).Echo(EchoRequest()).status();
  EXPECT_EQ(later.code(), StatusCode::kUnavailable);
  EXPECT_EQ(CallFailureOf(later)->delivery, CallFailure::Delivery::kNotSent);
}

CHILD_BODY(IgnoresEverything) {
  signal(SIGTERM, SIG_IGN);
  EchoImpl service;
  Server server;
  server.Register(service);
  server.Serve("parent:").IgnoreError();
  for (;;) pause();
}
TEST(ParentChildTest, StopEndsWhatDoesNotWantToEnd) {
  ChildOptions options = Body("IgnoresEverything");
  options.grace = absl::Milliseconds(30);
  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(child->Stop().ToString(), "was killed by signal 9 (SIGKILL)");
  EXPECT_EQ(child->Stop().ToString(), "was killed by signal 9 (SIGKILL)");
}

CHILD_BODY(Prints) {
  std::printf("to stdout\n");
  std::fflush(stdout);
  std::fprintf(stderr, "to stderr\n");
  char byte;
  std::printf("stdin: %zd\n", read(0, &byte, 1));
  std::fflush(stdout);
  return WorkerChildBody();
}
TEST(ParentChildTest, OutputIsCapturedAndInputNull) {
  ChildOptions options = Body("Prints");
  options.standard_input = Stdio::kNull;
  options.standard_output = Stdio::kCapture;
  options.standard_error = Stdio::kCapture;
  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  child->Stop();
  EXPECT_EQ(child->captured_output(), "to stdout\nstdin: 0\n");
  EXPECT_EQ(child->captured_error(), "to stderr\n");
}

CHILD_BODY(ListsItsWorld) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  std::fprintf(stderr, "link=%s;", getenv("FERRY_PARENT"));
  for (int fd = 0; fd < 2000; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) std::fprintf(stderr, "%d ", fd);
  }
  std::fprintf(stderr, ";usr1=%d;", sigismember(&mask, SIGUSR1));
  return 0;
}
TEST(ParentChildTest, AChildInheritsItsLinkAndNothingElse) {
  int leaky = open("/dev/null", O_RDONLY);  // not close-on-exec
  int high = fcntl(leaky, F_DUPFD, 1000);
  sigset_t usr1, before;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, &before);
  std::pair<const char*, const char*> links[] = {
      {"pipe", "link=pipe:3,4;0 1 2 3 4 ;usr1=0;"},
      {"unix", "link=unix:3;0 1 2 3 ;usr1=0;"},
      {"shm&trusted=1", "link=shm:3?ring=64KiB&trusted=1;0 1 2 3 ;usr1=0;"}};
  for (const auto& [link, world] : links) {
    absl::Status status =
        Connect(absl::StrCat(ChildAddress("ListsItsWorld"), "&stderr=capture&transport=", link))
            .status();
    EXPECT_TRUE(absl::StrContains(status.message(), world)) << status;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(leaky);
  close(high);
}

TEST(ParentChildTest, ProgramsThatIgnoreSigchldLoseTheExitStatusOnly) {
  signal(SIGCHLD, SIG_IGN);
  absl::StatusOr<Child> child = Spawn(Body("Worker"));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(EchoStub(child->channel()).Echo(EchoRequest()).ok());
  EXPECT_EQ(child->Stop().ToString(), "has ended, its exit status was taken by another wait");
  signal(SIGCHLD, SIG_DFL);
}

TEST(ParentChildTest, AProgramThatIsGoneBeforeItIsWatchedIsAnEndedChild) {
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < 100; ++i) {
    absl::Status status = Connect("exec:true").status();
    ASSERT_EQ(status.code(), StatusCode::kUnavailable) << status;
  }
  signal(SIGCHLD, SIG_DFL);
}

// With 0, 1 and 2 free, no pipe of ours lands there.
CHILD_BODY(ParentWithoutStdio) {
  for (int fd : {0, 1, 2}) close(fd);
  absl::StatusOr<Child> child = Spawn(Body("Worker"));
  bool works = child.ok() && EchoStub(child->channel()).Echo(EchoRequest()).ok();
  for (int fd : {0, 1, 2}) works = works && fcntl(fd, F_GETFD) < 0;
  return works ? 5 : 6;
}
TEST(ParentChildTest, PipesKeepOffFreeStdio) {
  absl::Status status = Connect(ChildAddress("ParentWithoutStdio")).status();
  EXPECT_NE(status.message().find("exited with code 5"), std::string::npos) << status;
}

CHILD_BODY(ParentWithoutEnvironment) {
  clearenv();
  absl::StatusOr<Child> child = Spawn(Body("Worker"));
  return child.ok() && EchoStub(child->channel()).Echo(EchoRequest()).ok() ? 5 : 6;
}
TEST(ParentChildTest, AnEmptyEnvironmentIsEnough) {
  absl::Status status = Connect(ChildAddress("ParentWithoutEnvironment")).status();
  EXPECT_NE(status.message().find("exited with code 5"), std::string::npos) << status;
}

// It inherits the limit, too.
CHILD_BODY(WorkerThatRaisesItsLimit) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return WorkerChildBody();
}
TEST(ParentChildTest, NoDescriptorIsLeftToStartAChild) {
  struct rlimit before, none;
  getrlimit(RLIMIT_NOFILE, &before);
  absl::Status status = absl::UnknownError("not tried");
  for (rlim_t left = 0; !status.ok(); ++left) {
    ASSERT_LT(left, 20u);
    none = before;
    int lowest = dup(0);
    close(lowest);
    none.rlim_cur = static_cast<rlim_t>(lowest) + left;
    setrlimit(RLIMIT_NOFILE, &none);
    status = Spawn(Body("WorkerThatRaisesItsLimit")).status();
    setrlimit(RLIMIT_NOFILE, &before);
    bool enough = status.ok() && left >= 4;
    EXPECT_TRUE(enough || absl::IsResourceExhausted(status)) << left << " " << status;
  }
}

TEST(ParentChildTest, BadOptionsAreRefused) {
  ChildOptions options;
  EXPECT_EQ(Spawn(options).status(), absl::InvalidArgumentError("child: no program given"));
  EXPECT_EQ(Connect("exec:/bin/echo%00/x").status().code(), StatusCode::kInvalidArgument);
  options = Body("Worker");
  options.arguments.push_back(std::string("a\0b", 3));
  EXPECT_EQ(Spawn(options).status().code(), StatusCode::kInvalidArgument);
  options = Body("Worker");
  options.link = ChildLinkKind::kShm;
  options.shm.ring = 0;
  EXPECT_EQ(Spawn(options).status().code(), StatusCode::kInvalidArgument);
  options = Body("Worker");
  options.standard_input = Stdio::kCapture;
  EXPECT_EQ(Spawn(options).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ferry::test
