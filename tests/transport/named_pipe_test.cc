// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What only named pipes have; the rest is in named_endpoint_test.cc.

#include "ferry/transport/named_pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ferry/transport/internal/pipe_hello.h"
#include "ferry/transport/internal/pipe_names.h"
#include "tests/support/child_body.h"
#include "tests/support/fault_injector.h"
#include "tests/support/temp_folder.h"
#include "tests/transport/named_endpoint.h"

namespace ferry::test {
namespace {

using Call = FaultInjector::Call;
using internal::Nonce;
using internal::PipeHello;
using internal::PipeNames;
using internal::Place;
using internal::UniqueFd;

UniqueFd Open(const std::string& path, int flags) {
  UniqueFd fd(open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(fd.valid()) << path;
  return fd;
}

// Does something before the k-th system call of one kind.
class BeforeCall final : public internal::sys::FaultHook {
 public:
  BeforeCall(Call call, int kth, std::function<void()> action)
      : call_(call), left_(kth), action_(std::move(action)) {
    internal::sys::SetFaultHook(this);
  }
  ~BeforeCall() override { internal::sys::SetFaultHook(nullptr); }
  int Before(Call call, size_t&) override {
    if (call == call_ && --left_ == 0) action_();
    return 0;
  }

 private:
  const Call call_;
  int left_;
  const std::function<void()> action_;
};

class NamedPipeTest : public testing::Test {
 protected:
  // Connects on a thread of its own, with the answer in `connected_`.
  std::thread Connecting(absl::Duration timeout = absl::Seconds(20)) {
    return std::thread([this, timeout] { connected_ = ConnectTo(address_, timeout); });
  }

  // The pipes of clients, as soon as there are so many.
  std::vector<std::string> AwaitPipes(size_t count) {
    std::vector<std::string> pipes;
    while (pipes.size() < count) {
      pipes.clear();
      for (const std::string& name : folder_.Names()) {
        if (absl::StartsWith(name, "x.")) pipes.push_back(name);
      }
    }
    return pipes;
  }

  // As soon as a hello waits to be read.
  void AwaitHello(const Listener& listener) {
    struct pollfd ready = {listener.wait_handle(), POLLIN, 0};
    EXPECT_EQ(poll(&ready, 1, 20000), 1);
  }

  void WriteToServer(const std::string& bytes) {
    UniqueFd pipe = Open(path_, O_WRONLY);
    EXPECT_EQ(write(pipe.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "x";
  const std::string address_ = "named-pipe:" + path_;
  absl::StatusOr<std::unique_ptr<Transport>> connected_;
};

TEST_F(NamedPipeTest, ThePeersAreDescribed) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  EXPECT_EQ(client->peer().description, "the server of " + address_);
  EXPECT_EQ(server->peer().description, "a client of " + address_);
  EXPECT_EQ(server->peer().uid, static_cast<int64_t>(geteuid()));
  EXPECT_EQ(server->peer().pid, -1);
}

TEST_F(NamedPipeTest, ThePipesOfAConnectionHaveNoNames) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto pair = ConnectPair(**listener, address_);
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
}

// Root's pipes are beyond pipe-user-pages-soft; those of others shrink there. Says how
// much a new pipe holds while all clients are connected.
CHILD_BODY(ConnectsSixHundredTimes) {
  BecomeOrdinaryUser();
  struct rlimit descriptors;
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  auto listener = ListenAt(Variable("AT"));
  std::vector<TransportPair> pairs;
  for (int i = 0; listener.ok() && i < 600; ++i) {
    pairs.push_back(ConnectPair(**listener, Variable("AT")));
    ExpectToCarry(*pairs.back().first, *pairs.back().second);
  }
  int fresh[2] = {-1, -1};
  EXPECT_EQ(pipe2(fresh, O_CLOEXEC), 0);
  SayLine(listener.ok() ? absl::StrCat(fcntl(fresh[0], F_GETPIPE_SZ))
                        : listener.status().ToString());
  return 0;
}

TEST_F(NamedPipeTest, SixHundredClientsConnect) {
  if (geteuid() == 0) {
    ASSERT_EQ(chown(folder_.path().c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  }
  BodyProcess user("ConnectsSixHundredTimes", At(address_));
  EXPECT_EQ(user.ReadLine(), "65536");
  EXPECT_EQ(user.Wait(), 0);
}

TEST_F(NamedPipeTest, ManyClientsConnectAtOnce) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  constexpr size_t kThreads = 8, kRounds = 40;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (size_t round = 0; round < kRounds; ++round) {
        auto client = ConnectTo(address_);
        ASSERT_TRUE(client.ok()) << client.status();
        Frames frames(**client);
        EXPECT_EQ(frames.Next(), "hello");
      }
    });
  }
  for (size_t i = 0; i < kThreads * kRounds; ++i) {
    auto server = AcceptOne(**listener);
    ASSERT_TRUE(server.ok() && *server != nullptr) << server.status();
    Frames frames(**server);
    SendMessage(**server, 2, "hello");
    EXPECT_TRUE(EndsSoon(**server));
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(NamedPipeTest, AClientsPipesAreSmall) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::thread client = Connecting();
  AwaitHello(**listener);
  std::vector<UniqueFd> pipes;  // which the client takes for the server's: not closed yet
  for (const std::string& name : AwaitPipes(2)) {
    pipes.push_back(Open(folder_ / name, O_RDWR));
    EXPECT_EQ(fcntl(pipes.back().get(), F_GETPIPE_SZ), 16384) << name;
  }
  auto server = AcceptOne(**listener);
  EXPECT_TRUE(server.ok() && *server != nullptr) << server.status();
  client.join();
}

TEST_F(NamedPipeTest, GarbageIsPassedBy) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  WriteToServer("hello?\n");
  WriteToServer(std::string(3000, 'x'));
  WriteToServer(EncodePipeHello(PipeHello()).substr(0, 100));
  WriteToServer(EncodePipeHello(PipeHello()));  // of nobody
  auto none = (*listener)->TryAccept();
  EXPECT_TRUE(none.ok() && *none == nullptr);
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
  WriteToServer("ferry.hi");
  auto again = ConnectPair(**listener, address_);
  ExpectToCarry(*again.first, *again.second);
}

TEST_F(NamedPipeTest, AHelloCannotRemoveFiles) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  PipeHello hello;
  PipeNames names("x", hello.nonce);
  for (const std::string& name : {names.in, names.out}) std::ofstream(folder_ / name) << "text";
  WriteToServer(EncodePipeHello(hello));
  auto none = (*listener)->TryAccept();
  EXPECT_TRUE(none.ok() && *none == nullptr);
  listener->reset();
  EXPECT_EQ(folder_.Names().size(), 2u);
  for (const std::string& name : {names.in, names.out}) std::filesystem::remove(folder_ / name);
}

TEST_F(NamedPipeTest, AnotherVersionIsTurnedAwayWithTheReason) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  PipeHello hello;
  hello.version = 2;
  PipeNames names("x", hello.nonce);
  for (const std::string& name : {names.in, names.out}) {
    ASSERT_EQ(mkfifo((folder_ / name).c_str(), 0600), 0);
  }
  UniqueFd out = Open(folder_ / names.out, O_RDWR), in = Open(folder_ / names.in, O_RDONLY);
  WriteToServer(EncodePipeHello(hello));
  auto none = (*listener)->TryAccept();
  EXPECT_TRUE(none.ok() && *none == nullptr);
  char record[internal::kPipeRecordSize];
  ASSERT_EQ(read(in.get(), record, sizeof(record)), static_cast<ssize_t>(sizeof(record)));
  ExpectStatus(internal::DecodePipeWelcome({record, sizeof(record)}),
               absl::StatusCode::kFailedPrecondition,
               {"the server speaks version 1 of named pipes, not 2"});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
}

TEST_F(NamedPipeTest, WhatTheServerAnswersIsTheClientsError) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  UniqueFd server = Open(path_, O_RDWR);
  for (const absl::Status& answer : {absl::PermissionDeniedError("why"), absl::DataLossError("")}) {
    std::thread client = Connecting();
    struct pollfd ready = {server.get(), POLLIN, 0};
    EXPECT_EQ(poll(&ready, 1, 20000), 1);
    char hello[internal::kPipeRecordSize];
    EXPECT_EQ(read(server.get(), hello, sizeof(hello)), static_cast<ssize_t>(sizeof(hello)));
    for (const std::string& name : AwaitPipes(2)) {
      if (!absl::EndsWith(name, ".in")) continue;
      std::string welcome =
          answer.message().empty() ? "no welcome" : internal::EncodePipeWelcome(answer);
      UniqueFd in = Open(folder_ / name, O_WRONLY);
      EXPECT_GT(write(in.get(), welcome.data(), welcome.size()), 0);
    }
    client.join();
    ExpectStatus(connected_.status(), answer.code(),
                 {address_ + ": ", answer.message().empty() ? "not one of a ferry server" : "why"});
  }
  std::filesystem::remove(path_);
}

TEST_F(NamedPipeTest, AStoppedServerIsTooLate) {
  BodyProcess server("Serves", At(address_));
  ASSERT_EQ(server.ReadLine(), "ready");
  server.Signal(SIGSTOP);
  ExpectStatus(ConnectTo(address_, absl::Milliseconds(50)).status(),
               absl::StatusCode::kDeadlineExceeded,
               {address_ + ": the server has not accepted the connection"});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
  server.Signal(SIGCONT);
  EXPECT_TRUE(ConnectTo(address_).ok());
  server.Kill();
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_F(NamedPipeTest, AServersDeathEndsTheWait) {
  BodyProcess server("Serves", At(address_));
  ASSERT_EQ(server.ReadLine(), "ready");
  server.Signal(SIGSTOP);
  std::thread client = Connecting();
  AwaitPipes(2);
  server.Kill();
  client.join();
  ExpectStatus(connected_.status(), absl::StatusCode::kUnavailable, {address_});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_F(NamedPipeTest, AListenersEndEndsTheWait) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::thread client = Connecting();
  AwaitHello(**listener);
  listener->reset();
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "");
  client.join();
  ExpectStatus(connected_.status(), absl::StatusCode::kUnavailable,
               {address_ + ": the server has ended"});
}

TEST_F(NamedPipeTest, AFullPipeMakesClientsWait) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  const std::string garbage(4096, 'x');
  {
    UniqueFd pipe = Open(path_, O_WRONLY);
    while (write(pipe.get(), garbage.data(), garbage.size()) > 0) {
    }
  }
  ExpectStatus(ConnectTo(address_, absl::Milliseconds(20)).status(),
               absl::StatusCode::kDeadlineExceeded, {address_});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

TEST_F(NamedPipeTest, AClientWhosePipesAreRemovedMakesNewOnes) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::thread client = Connecting();
  AwaitHello(**listener);
  for (const std::string& name : AwaitPipes(2)) std::filesystem::remove(folder_ / name);
  auto server = AcceptOne(**listener);
  client.join();
  ASSERT_TRUE(server.ok() && *server != nullptr) << server.status();
  ASSERT_TRUE(connected_.ok()) << connected_.status();
  ExpectToCarry(**connected_, **server);
}

TEST_F(NamedPipeTest, AShortageWhileAcceptingPasses) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::thread client = Connecting();
  AwaitHello(**listener);
  {
    auto fault = FaultInjector::Fail(Call::kOpen, 1, EMFILE);
    ExpectStatus((*listener)->TryAccept().status(), absl::StatusCode::kResourceExhausted,
                 {address_ + ": a client's pipe", "RLIMIT_NOFILE"});
  }
  auto server = (*listener)->TryAccept();
  client.join();
  ASSERT_TRUE(server.ok() && *server != nullptr) << server.status();
  ASSERT_TRUE(connected_.ok()) << connected_.status();
  ExpectToCarry(**connected_, **server);
}

TEST_F(NamedPipeTest, AShortageOfPipesNamesTheLimit) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  constexpr int kOwnPipe = 3;  // after the folder and the server's pipe
  for (int error : {ENFILE, ENOMEM}) {
    auto fault = FaultInjector::Fail(Call::kOpen, kOwnPipe, error);
    ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kResourceExhausted,
                 {address_ + ": opening its own pipe", "/proc/sys/fs/pipe-user-pages-hard"});
  }
  auto fault = FaultInjector::Fail(Call::kOpen, kOwnPipe, EMFILE);
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kResourceExhausted,
               {"RLIMIT_NOFILE"});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
}

TEST_F(NamedPipeTest, ClientsKilledAtAnyTimeLeaveNothing) {
  for (int round = 0; round < 200; ++round) {
    auto listener = ListenAt(address_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    BodyProcess client("Connects", At(address_));
    usleep(static_cast<useconds_t>(round * 37 % 5000));
    EXPECT_TRUE(AcceptOne(**listener, absl::Microseconds(round * 13 % 1000)).ok());
    client.Signal(SIGKILL);
    listener->reset();  // while it dies
    EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "") << "round " << round;
  }
}

TEST_F(NamedPipeTest, AnotherProgramsPipeStays) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  UniqueFd reader = Open(path_, O_RDONLY);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kAlreadyExists,
               {address_ + ": a program that is no ferry server reads this pipe"});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
  reader.Reset();
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_F(NamedPipeTest, AnotherUsersPipeIsInTheWay) {
  if (geteuid() != 0) return;  // only root can give a file away
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  ASSERT_EQ(chown(path_.c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
               {address_ + ": " + path_ + " is a named pipe of user 65534, which is in the way"});
  std::filesystem::remove(path_);
}

TEST_F(NamedPipeTest, APipeForOtherUsersIsNotServed) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0620), 0);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
               {address_ + ": the pipe that is there has mode 620", "chmod it to 600"});
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_TRUE(ListenAt(address_).ok());
}

// A hello may name pipes that no client of this user has made.
TEST_F(NamedPipeTest, AServerUsesOnlyPipesOfAClient) {
  using Change = void (*)(const std::string&);
  for (Change change :
       {Change([](const std::string& pipe) { chmod(pipe.c_str(), 0606); }),
        Change(
            [](const std::string& pipe) { std::filesystem::create_hard_link(pipe, pipe + "2"); }),
        Change([](const std::string& pipe) {
          bool given = chown(pipe.c_str(), kOrdinaryUser, kOrdinaryUser) == 0;
          if (!given) chmod(pipe.c_str(), 0660);  // only root can give a file away
        }),
        Change([](const std::string& pipe) {
          std::filesystem::rename(std::filesystem::path(pipe).parent_path() / "x", pipe);
        })}) {
    for (bool of_in : {false, true}) {
      auto listener = ListenAt(address_);
      ASSERT_TRUE(listener.ok()) << listener.status();
      PipeHello hello;
      PipeNames names("x", hello.nonce);
      for (const std::string& name : {names.in, names.out}) {
        ASSERT_EQ(mkfifo((folder_ / name).c_str(), 0600), 0);
      }
      UniqueFd out = Open(folder_ / names.out, O_RDWR), in = Open(folder_ / names.in, O_RDONLY);
      WriteToServer(EncodePipeHello(hello));
      change(folder_ / (of_in ? names.in : names.out));
      auto none = (*listener)->TryAccept();
      EXPECT_TRUE(none.ok() && *none == nullptr);
      char byte;
      EXPECT_LE(read(in.get(), &byte, 1), 0);  // no answer
      for (const std::string& name : folder_.Names()) {
        if (name != "x") std::filesystem::remove(folder_ / name);
      }
    }
  }
}

TEST_F(NamedPipeTest, OnlyTheServersOwnUserConnects) {
  if (geteuid() != 0) return;
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  ASSERT_EQ(chmod(folder_.path().c_str(), 01777), 0);
  BodyProcess client("Connects", {"AT=" + address_, "ORDINARY_USER=1"});
  std::string said = client.ReadLine();
  EXPECT_NE(said.find("PERMISSION_DENIED: " + address_ +
                      ": the server is one of user 0, the client one of user 65534; "
                      "unix: connects different users"),
            std::string::npos)
      << said;
  ASSERT_EQ(chown(path_.c_str(), 12345, 12345), 0);
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kPermissionDenied,
               {"the server is one of user 12345, the client one of user 0"});
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
}

// Whoever may write in the folder may have put something else under the name.
TEST_F(NamedPipeTest, AClientUsesOnlyPipesOfItsOwn) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  using Change = void (*)(const std::string&);
  for (Change change : {Change([](const std::string& pipe) { chmod(pipe.c_str(), 0620); }),
                        Change([](const std::string& pipe) {
                          std::filesystem::create_hard_link(pipe, pipe + "2");
                        })}) {
    BeforeCall hook(Call::kOpen, 3, [&] { change(folder_ / AwaitPipes(1)[0]); });
    ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kPermissionDenied,
                 {address_ + ": somebody replaced a pipe made in the folder " + folder_.path()});
    for (const std::string& name : folder_.Names()) {
      if (name != "x") std::filesystem::remove(folder_ / name);
    }
  }
}

TEST_F(NamedPipeTest, AClientThatMayNotMakePipesIsDenied) {
  if (geteuid() == 0) {
    ASSERT_EQ(chown(folder_.path().c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  }
  BodyProcess server("Serves", {"AT=" + address_, "ORDINARY_USER=1"});
  ASSERT_EQ(server.ReadLine(), "ready");
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  BodyProcess client("Connects", {"AT=" + address_, "ORDINARY_USER=1"});
  std::string said = client.ReadLine();
  EXPECT_NE(said.find("PERMISSION_DENIED: " + address_), std::string::npos) << said;
  EXPECT_NE(said.find("making a pipe in the folder " + folder_.path()), std::string::npos) << said;
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
  server.Kill();
  std::filesystem::remove(path_);
}

TEST_F(NamedPipeTest, ANameFitsOrIsRefused) {
  const std::string longest = address_ + std::string(217, 'y');
  auto listener = ListenAt(longest);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, longest);
  ExpectToCarry(*client, *server);
  for (const absl::Status& status :
       {ListenAt(longest + "y").status(), ConnectTo(longest + "y").status()}) {
    ExpectStatus(status, absl::StatusCode::kInvalidArgument,
                 {longest + "y: the name has 219 bytes, of which it can have 218"});
  }
}

class LeftoversTest : public NamedPipeTest {
 protected:
  PipeNames MakePipes(unsigned char byte) {
    Nonce nonce;
    nonce.fill(byte);
    PipeNames names("x", nonce);
    EXPECT_EQ(mkfifo((folder_ / names.in).c_str(), 0600), 0);
    EXPECT_EQ(mkfifo((folder_ / names.out).c_str(), 0600), 0);
    return names;
  }
  Place place_ = *Place::Find("named-pipe:", path_);
};

TEST_F(LeftoversTest, AnEndedClientsPipesAreRemovedInTime) {
  PipeNames ended = MakePipes(1), lives = MakePipes(2), half = MakePipes(3);
  UniqueFd out = Open(folder_ / lives.out, O_RDWR);
  std::filesystem::remove(folder_ / half.out);
  EXPECT_TRUE(RemoveLeftovers(place_, absl::Hours(1)));  // too young, but for the half
  EXPECT_EQ(folder_.Names().size(), 4u);
  EXPECT_TRUE(RemoveLeftovers(place_, absl::ZeroDuration()));
  EXPECT_EQ(folder_.Names().size(), 2u);
  out.Reset();
  EXPECT_FALSE(RemoveLeftovers(place_, absl::ZeroDuration()));
}

TEST_F(LeftoversTest, OtherFilesStay) {
  const std::string digits(32, '0');
  std::vector<std::string> others = {"x." + digits + ".out",
                                     "y." + digits + ".in",
                                     "x." + digits + "0.in",
                                     "x." + digits + ".in.",
                                     "x" + digits + ".in",
                                     "x." + std::string(32, 'F') + ".in",
                                     "x." + std::string(32, 'g') + ".in"};
  std::ofstream(folder_ / others[0]) << "text";
  for (size_t i = 1; i < others.size(); ++i) {
    ASSERT_EQ(mkfifo((folder_ / others[i]).c_str(), 0600), 0);
  }
  RemoveLeftovers(place_, absl::ZeroDuration());
  EXPECT_EQ(folder_.Names().size(), others.size());
  for (const std::string& name : others) std::filesystem::remove(folder_ / name);
}

}  // namespace
}  // namespace ferry::test
