// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What all endpoints with a name in the file system have in common: who owns the name,
// what is refused, and that nothing is left behind.

#include "tests/transport/named_endpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/child_body.h"
#include "tests/support/fault_injector.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using Call = FaultInjector::Call;

class NamedEndpointTest : public testing::TestWithParam<const char*> {
 protected:
  std::string Address(const std::string& path) { return absl::StrCat(GetParam(), ":", path); }

  // What an ordinary user's process says who serves, or connects, there.
  std::string AsOrdinaryUser(const char* body, const std::string& path) {
    BodyProcess user(body, {"AT=" + Address(path), "ORDINARY_USER=1"});
    return user.ReadLine();
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "x";
  const std::string address_ = Address(path_);
};

TEST_P(NamedEndpointTest, CarriesMessages) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
  // An accepted connection outlives its listener.
  listener->reset();
  ExpectToCarry(*client, *server);
  client.reset();
  EXPECT_TRUE(EndsSoon(*server));
}

TEST_P(NamedEndpointTest, CarriesMoreThanThePipesHold) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  const std::string large(1 << 20, 'x');
  std::thread sender([&, to = client.get()] {
    Frames received(*to);
    SendMessage(*to, 2, large);
    EXPECT_EQ(received.Next(), "thanks");
  });
  Frames received(*server);
  EXPECT_EQ(received.Next(), large);
  SendMessage(*server, 3, "thanks");
  sender.join();
}

TEST_P(NamedEndpointTest, ConnectsAcrossProcesses) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  BodyProcess process("Connects", At(address_));
  auto server = AcceptOne(**listener);
  ASSERT_TRUE(server.ok() && *server != nullptr);
  EXPECT_EQ(process.ReadLine(), "connected");
  process.Kill();
  EXPECT_TRUE(EndsSoon(**server));
}

TEST_P(NamedEndpointTest, NobodyToAcceptIsNoError) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto accepted = (*listener)->TryAccept();
  EXPECT_TRUE(accepted.ok() && *accepted == nullptr);
}

TEST_P(NamedEndpointTest, OneProcessServesANameOnce) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  for (int i = 0; i < 2; ++i) {
    ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kAlreadyExists,
                 {address_, "is served already"});
  }
  // The same name by another path.
  ExpectStatus(ListenAt(Address(folder_.path() + "/./x")).status(),
               absl::StatusCode::kAlreadyExists, {});
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

TEST_P(NamedEndpointTest, AnotherProcessLeavesAServedNameAlone) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  for (int i = 0; i < 2; ++i) {
    BodyProcess second("Serves", At(address_));
    EXPECT_NE(second.ReadLine().find("ALREADY_EXISTS: " + address_ + " is served already"),
              std::string::npos);
    EXPECT_EQ(second.Wait(), 1);
  }
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

TEST_P(NamedEndpointTest, AClientInTheServersProcessKeepsTheNameServed) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  ConnectPair(**listener, address_);  // and both closed again
  BodyProcess second("Serves", At(address_));
  EXPECT_NE(second.ReadLine().find("ALREADY_EXISTS"), std::string::npos);
}

TEST_P(NamedEndpointTest, AKilledServersNameIsTakenOver) {
  BodyProcess killed("Serves", At(address_));
  ASSERT_EQ(killed.ReadLine(), "ready");
  EXPECT_TRUE(ConnectTo(address_).ok());
  killed.Kill();
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable,
               {address_, "nobody listens (the ", " is left over from a server that has ended)"});
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

// Without waiting for it to be gone: its lock ends a moment before its descriptors.
TEST_P(NamedEndpointTest, ADyingServersNameIsTakenOver) {
  for (int i = 0; i < 20; ++i) {
    BodyProcess killed("Serves", At(address_));
    ASSERT_EQ(killed.ReadLine(), "ready");
    killed.Signal(SIGKILL);
    absl::StatusOr<std::unique_ptr<Listener>> listener;
    do {
      listener = ListenAt(address_);
    } while (absl::IsAlreadyExists(listener.status()) &&
             !absl::StrContains(listener.status().message(), " that "));
    EXPECT_TRUE(listener.ok()) << listener.status();
  }
}

TEST_P(NamedEndpointTest, AServerKilledAtAnyStepIsReplaced) {
  int kth = 1;
  for (;; ++kth) {
    BodyProcess killed("Serves", {"AT=" + address_, absl::StrCat("KILL_AT=", kth)});
    bool was_ready = killed.ReadLine() == "ready";
    if (was_ready) {
      killed.Kill();
    } else {
      EXPECT_EQ(killed.Wait(), -SIGKILL);
    }
    auto listener = ListenAt(address_);
    ASSERT_TRUE(listener.ok()) << "killed at call " << kth << ": " << listener.status();
    auto [client, server] = ConnectPair(**listener, address_);
    ExpectToCarry(*client, *server);
    listener->reset();
    EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "") << "killed at call " << kth;
    if (was_ready) break;
  }
  EXPECT_GT(kth, 5);
}

TEST_P(NamedEndpointTest, AClientKilledAtAnyStepLeavesNothing) {
  bool connected = false;
  for (int kth = 1; !connected; ++kth) {
    auto listener = ListenAt(address_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    BodyProcess client("Connects", {"AT=" + address_, absl::StrCat("KILL_AT=", kth)});
    std::thread waiting([&] {
      connected = client.ReadLine() == "connected";
      client.Kill();
    });
    for (int i = 0; i < 100; ++i) {
      auto accepted = AcceptOne(**listener, absl::Milliseconds(1));
      ASSERT_TRUE(accepted.ok()) << accepted.status();
      if (*accepted == nullptr) continue;
      EXPECT_TRUE(EndsSoon(**accepted)) << "killed at call " << kth;
      break;
    }
    waiting.join();
    auto late = AcceptOne(**listener, absl::Milliseconds(1));
    EXPECT_TRUE(late.ok());
    listener->reset();
    EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "") << "killed at call " << kth;
  }
}

TEST_P(NamedEndpointTest, AForkedChildLeavesTheName) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  pid_t child = fork();
  if (child == 0) {
    bool refused =
        (*listener)->TryAccept().status().code() == absl::StatusCode::kFailedPrecondition;
    bool in_use = ListenAt(address_).status().code() == absl::StatusCode::kAlreadyExists;
    listener->reset();
    _exit(refused && in_use ? 0 : 1);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

TEST_P(NamedEndpointTest, AForkedChildDoesNotKeepAKilledServersName) {
  BodyProcess killed("ServesAndForks", At(address_));
  pid_t forked = std::stoi(killed.ReadLine());
  killed.Kill();
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable, {"nobody listens"});
  auto listener = ListenAt(address_);
  EXPECT_TRUE(listener.ok()) << listener.status();
  kill(forked, SIGKILL);
}

CHILD_BODY(ServesAndForks) {
  auto listener = ListenAt(Variable("AT"));
  if (fork() == 0) SayLine(absl::StrCat(getpid()));  // when what fork() does is done
  for (;;) pause();
}

CHILD_BODY(Competes) {
  while (!HearLine().empty()) {
    auto listener = ListenAt(Variable("AT"));
    SayLine(listener.ok() ? "won" : listener.status().ToString());
    HearLine();
    listener = absl::UnknownError("");
    SayLine("released");
  }
  return 0;
}

TEST_P(NamedEndpointTest, OneOfTwoThatStartAtOnceWins) {
  BodyProcess a("Competes", At(address_)), b("Competes", At(address_));
  for (int round = 0; round < 200; ++round) {
    a.WriteLine("go");
    b.WriteLine("go");
    std::string said_a = a.ReadLine(), said_b = b.ReadLine();
    EXPECT_EQ((said_a == "won") + (said_b == "won"), 1) << said_a << "\n" << said_b;
    EXPECT_NE((said_a == "won" ? said_b : said_a).find("ALREADY_EXISTS"), std::string::npos)
        << said_a << "\n"
        << said_b;
    for (BodyProcess* process : {&a, &b}) {
      process->WriteLine("release");
      EXPECT_EQ(process->ReadLine(), "released");
    }
  }
}

// Takes the name and gives it up as fast as it can, and checks that it has it alone.
CHILD_BODY(TakesAndReleases) {
  int won = 0;
  for (int i = 0; i < 1000 || won < 50; ++i) {
    auto listener = ListenAt(Variable("AT"));
    if (!listener.ok()) {
      if (listener.status().code() == absl::StatusCode::kAlreadyExists) continue;
      SayLine(listener.status().ToString());
      return 1;
    }
    int alone = open(Variable("ALONE").c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (alone < 0) {
      SayLine("two have the name");
      return 1;
    }
    close(alone);
    unlink(Variable("ALONE").c_str());
    ++won;
  }
  SayLine("ok");
  return 0;
}

TEST_P(NamedEndpointTest, TheNameIsNeverOwnedTwice) {
  TempFolder scratch;
  std::vector<std::string> variables = {"AT=" + address_, "ALONE=" + scratch / "alone"};
  BodyProcess a("TakesAndReleases", variables), b("TakesAndReleases", variables);
  EXPECT_EQ(a.ReadLine(), "ok");
  EXPECT_EQ(b.ReadLine(), "ok");
}

TEST_P(NamedEndpointTest, ChangingTheFolderChangesNothing) {
  auto old = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  auto listener = ListenAt(Address("./x"));
  std::filesystem::current_path(old);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}  // and the folder is empty again

TEST_P(NamedEndpointTest, TheFilesAreTheUsersOwn) {
  mode_t old = umask(0);
  auto listener = ListenAt(address_);
  umask(old);
  ASSERT_TRUE(listener.ok()) << listener.status();
  for (const std::string& name : folder_.Names()) {
    struct stat status;
    EXPECT_EQ(stat((folder_ / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u) << name;
  }
}

TEST_P(NamedEndpointTest, AMissingFolderIsNotFound) {
  ExpectStatus(ListenAt(Address(path_ + "/y")).status(), absl::StatusCode::kNotFound,
               {address_ + "/y: there is no folder " + path_});
  ExpectStatus(ConnectTo(Address(path_ + "/y")).status(), absl::StatusCode::kUnavailable,
               {address_ + "/y: there is no folder " + path_});
}

TEST_P(NamedEndpointTest, AFileIsNoFolder) {
  std::ofstream(path_) << "text";
  ExpectStatus(ListenAt(Address(path_ + "/y")).status(), absl::StatusCode::kNotFound,
               {address_ + "/y: " + path_ + " is not a folder"});
  ExpectStatus(ConnectTo(Address(path_ + "/y")).status(), absl::StatusCode::kUnavailable,
               {address_ + "/y: " + path_ + " is not a folder"});
  std::filesystem::remove(path_);
}

TEST_P(NamedEndpointTest, AnUnwritableFolderIsDenied) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  std::string said = AsOrdinaryUser("Serves", path_);
  EXPECT_NE(said.find("PERMISSION_DENIED: " + address_ + ": user "), std::string::npos) << said;
  EXPECT_NE(said.find("may not write in the folder " + folder_.path()), std::string::npos) << said;
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
}

TEST_P(NamedEndpointTest, AFolderThatMayNotBeEnteredIsDenied) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0), 0);
  for (const char* body : {"Serves", "Connects"}) {
    std::string said = AsOrdinaryUser(body, path_);
    EXPECT_NE(said.find("PERMISSION_DENIED: " + address_ + ": user "), std::string::npos) << said;
  }
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
}

TEST_P(NamedEndpointTest, AReadOnlyFileSystemIsNamed) {
  auto fault = FaultInjector::Fail(Call::kAccess, 1, EROFS);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
               {address_ + ": the folder " + folder_.path() + " is on a read-only file system"});
}

TEST_P(NamedEndpointTest, AFolderOfAnotherUserIsDenied) {
  if (geteuid() != 0) return;  // only root can give a folder away
  ASSERT_EQ(chown(folder_.path().c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kPermissionDenied,
               {address_ + ": the folder " + folder_.path() +
                " belongs to user 65534, who could "
                "replace the name"});
}

TEST_P(NamedEndpointTest, AFolderThatAllMayChangeIsDenied) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0777), 0);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kPermissionDenied,
               {address_ + ": every user may write in the folder " + folder_.path(),
                "no sticky bit", "could replace the name"});
  ASSERT_EQ(chmod(folder_.path().c_str(), 01777), 0);
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_P(NamedEndpointTest, WhatIsInTheWayStays) {
  std::ofstream(path_) << "text";
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
               {address_ + ": " + path_ + " is a regular file, which is in the way"});
  std::string text;
  std::ifstream(path_) >> text;
  EXPECT_EQ(text, "text");
  std::filesystem::remove(path_);

  std::filesystem::create_directory(path_);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
               {path_ + " is a folder, which is in the way"});
  EXPECT_TRUE(std::filesystem::is_directory(path_));
  std::filesystem::remove(path_);

  std::filesystem::create_symlink(folder_ / "y", path_);
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
               {path_ + " is a symbolic link, which is in the way"});
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  std::filesystem::remove(path_);
}

TEST_P(NamedEndpointTest, WhatReplacedAServedNameStays) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::filesystem::remove(path_);
  std::ofstream(path_) << "text";
  listener->reset();
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
  std::filesystem::remove(path_);
}

TEST_P(NamedEndpointTest, NothingToConnectToIsUnavailable) {
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable,
               {address_ + ": no such file"});
}

TEST_P(NamedEndpointTest, AFileIsNobodyToConnectTo) {
  std::ofstream(path_) << "text";
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable,
               {address_ + ": a regular file, not a "});
  std::filesystem::remove(path_);
}

TEST_P(NamedEndpointTest, AnotherUsersServerIsDenied) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  ASSERT_EQ(chmod(folder_.path().c_str(), 01777), 0);
  ASSERT_EQ(chmod(path_.c_str(), geteuid() == 0 ? 0600 : 0), 0);
  std::string said = AsOrdinaryUser("Connects", path_);
  EXPECT_NE(said.find("PERMISSION_DENIED: " + address_), std::string::npos) << said;
}

TEST_P(NamedEndpointTest, AnOrdinaryUserServesAndConnects) {
  if (geteuid() == 0) {
    ASSERT_EQ(chown(folder_.path().c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  }
  BodyProcess server("Serves", {"AT=" + address_, "ORDINARY_USER=1"});
  EXPECT_EQ(server.ReadLine(), "ready");
  EXPECT_EQ(AsOrdinaryUser("Connects", path_), "connected");
  // Root may, too, but pipes are for one user only.
  auto client = ConnectTo(address_);
  bool other = geteuid() == 0 && address_[0] == 'n';
  ExpectStatus(client.status(), other ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kOk,
               {});
  server.Kill();
  EXPECT_TRUE(!client.ok() || EndsSoon(**client));
  for (const std::string& name : folder_.Names()) std::filesystem::remove(folder_ / name);
}

TEST_P(NamedEndpointTest, APathNamesAFile) {
  for (const char* path : {"/", "/tmp/", "/tmp/.", "../..", "%20/"}) {
    EXPECT_EQ(ListenAt(Address(path)).status().code(), absl::StatusCode::kInvalidArgument) << path;
  }
  ExpectStatus(ListenAt(Address("")).status(), absl::StatusCode::kInvalidArgument,
               {absl::StrCat("expected ", GetParam(), ":"), "PATH"});
  ExpectStatus(ListenAt(Address("/tmp/a%00b")).status(), absl::StatusCode::kInvalidArgument,
               {"NUL"});
  ExpectStatus(ConnectTo(Address("/tmp/a%00b")).status(), absl::StatusCode::kInvalidArgument,
               {"NUL"});
  ExpectStatus(ListenAt(Address("/tmp/a b")).status(), absl::StatusCode::kInvalidArgument, {"%20"});
  ExpectStatus(ListenAt(address_ + "?rung=1").status(), absl::StatusCode::kInvalidArgument,
               {"unknown parameter 'rung'"});
}

TEST_P(NamedEndpointTest, APathMayHaveSpaces) {
  auto listener = ListenAt(Address(folder_ / "a%20b"));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "a b"));
}

// Whatever fails while a server starts, it leaves nothing and says something.
TEST_P(NamedEndpointTest, AServerThatCannotStartLeavesNothing) {
  for (Call call :
       {Call::kOpen, Call::kAccess, Call::kStat, Call::kMkfifo, Call::kUnlink, Call::kRename,
        Call::kLock, Call::kRead, Call::kRandom, Call::kSocket, Call::kBind, Call::kListen}) {
    absl::StatusCode expected =
        call == Call::kAccess ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnknown;
    for (int kth = 1;; ++kth) {
      auto fault = FaultInjector::Fail(call, kth, EIO);
      absl::Status status = ListenAt(address_).status();
      if (!fault.fired()) break;
      if (!status.ok()) ExpectStatus(status, expected, {address_});
    }
    // Where it did not know what it had made, the next one tidies up.
    EXPECT_TRUE(ListenAt(address_).ok());
    EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "") << static_cast<int>(call);
  }
}

TEST_P(NamedEndpointTest, AClientThatCannotConnectLeavesNothing) {
  BodyProcess server("Serves", At(address_));
  ASSERT_EQ(server.ReadLine(), "ready");
  size_t served = folder_.Names().size();
  for (Call call : {Call::kOpen, Call::kStat, Call::kMkfifo, Call::kRandom, Call::kSocket,
                    Call::kConnect, Call::kFcntl, Call::kPoll, Call::kRead, Call::kWrite}) {
    for (int kth = 1;; ++kth) {
      auto fault = FaultInjector::Fail(call, kth, EIO);
      absl::Status status = ConnectTo(address_).status();
      if (!fault.fired()) break;
      if (!status.ok()) ExpectStatus(status, absl::StatusCode::kUnknown, {address_});
    }
    EXPECT_EQ(folder_.Names().size(), served) << static_cast<int>(call);
  }
  server.Kill();
  EXPECT_TRUE(ListenAt(address_).ok());
}

INSTANTIATE_TEST_SUITE_P(, NamedEndpointTest, testing::Values("unix", "named-pipe", "shm"),
                         [](const auto& kind) {
                           std::string scheme = kind.param;
                           scheme.erase(std::remove(scheme.begin(), scheme.end(), '-'),
                                        scheme.end());
                           return scheme;
                         });

}  // namespace
}  // namespace ferry::test
