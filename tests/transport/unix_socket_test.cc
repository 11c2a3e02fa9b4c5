// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What only Unix sockets have; the rest is in named_endpoint_test.cc.

#include "ferry/transport/unix_socket.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/fault_injector.h"
#include "tests/support/temp_folder.h"
#include "tests/transport/named_endpoint.h"

namespace ferry::test {
namespace {

using Call = FaultInjector::Call;

// A socket at a path as other programs make it, without a lock.
internal::UniqueFd ForeignSocket(const std::string& path, int type) {
  internal::UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_TRUE(type != SOCK_STREAM || listen(socket.get(), 0) == 0);
  return socket;
}

class UnixSocketTest : public testing::Test {
 protected:
  void ExpectInTheWay(const std::string& name, const char* what) {
    ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kFailedPrecondition,
                 {address_ + ": " + folder_.path() + "/" + name + " is " + what});
    EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), name);
    std::filesystem::remove(folder_ / name);
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "x";
  const std::string address_ = "unix:" + path_;
};

TEST_F(UnixSocketTest, BothSidesKnowWhoTheOtherIs) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  for (const Transport* end : {client.get(), server.get()}) {
    EXPECT_EQ(end->peer().pid, getpid());
    EXPECT_EQ(end->peer().uid, static_cast<int64_t>(geteuid()));
    EXPECT_EQ(end->peer().gid, static_cast<int64_t>(getegid()));
  }
  EXPECT_EQ(client->peer().description,
            absl::StrCat("the server of ", address_, " (process ", getpid(), ")"));
  EXPECT_EQ(server->peer().description,
            absl::StrCat("process ", getpid(), " (uid ", geteuid(), ") at ", address_));
}

TEST_F(UnixSocketTest, TheErrorSaysWhichProcessServes) {
  BodyProcess first("Serves", At(address_));
  ASSERT_EQ(first.ReadLine(), "ready");
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kAlreadyExists,
               {absl::StrCat(address_, " is served already by process ", first.pid())});
  auto client = ConnectTo(address_);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ((*client)->peer().pid, first.pid());
  first.Kill();
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kAlreadyExists,
               {address_ + " is served already by this process"});
}

TEST_F(UnixSocketTest, AnotherProgramsLiveSocketStays) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    internal::UniqueFd other = ForeignSocket(path_, type);
    ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kAlreadyExists,
                 {address_ + " is served already, by a process that does not lock " + path_});
    EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
    std::filesystem::remove(path_);
  }
}

TEST_F(UnixSocketTest, AnotherProgramsStaleSocketIsTakenOver) {
  ForeignSocket(path_, SOCK_STREAM);
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_F(UnixSocketTest, ASocketOfAnotherKindIsNobodyToConnectTo) {
  internal::UniqueFd other = ForeignSocket(path_, SOCK_DGRAM);
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable,
               {address_ + ": a socket, but not a stream socket"});
  std::filesystem::remove(path_);
}

TEST_F(UnixSocketTest, AnotherUsersSocketIsInTheWay) {
  if (geteuid() != 0) return;  // only root can give a file away
  ForeignSocket(path_, SOCK_STREAM);
  ASSERT_EQ(chown(path_.c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  ExpectInTheWay("x", "a socket of user 65534, which is in the way");
}

TEST_F(UnixSocketTest, ALockFileWithTextIsInTheWay) {
  std::ofstream(path_ + ".lock") << "text";
  ExpectInTheWay("x.lock", "a regular file, which is in the way");
}

TEST_F(UnixSocketTest, ALinkIsNoLockFile) {
  std::filesystem::create_symlink(folder_ / "y", path_ + ".lock");
  ExpectInTheWay("x.lock", "a symbolic link, which is in the way");
}

TEST_F(UnixSocketTest, AFolderIsNoLockFile) {
  std::filesystem::create_directory(path_ + ".lock");
  ExpectInTheWay("x.lock", "a folder, which is in the way");
}

TEST_F(UnixSocketTest, APipeIsNoLockFile) {
  ASSERT_EQ(mkfifo((path_ + ".lock").c_str(), 0600), 0);
  ExpectInTheWay("x.lock", "a named pipe, which is in the way");
}

TEST_F(UnixSocketTest, AnotherUsersLockFileIsInTheWay) {
  if (geteuid() != 0) return;  // only root can give a file away
  std::ofstream(path_ + ".lock").close();
  ASSERT_EQ(chown((path_ + ".lock").c_str(), kOrdinaryUser, kOrdinaryUser), 0);
  ExpectInTheWay("x.lock", "a regular file of user 65534, which is in the way");
}

TEST_F(UnixSocketTest, AFileUnderTheNewNameIsInTheWay) {
  std::ofstream(path_ + ".new").close();
  ExpectInTheWay("x.new", "a regular file, which is in the way");
}

TEST_F(UnixSocketTest, NamesBesideAServersAreNotServed) {
  for (const char* suffix : {".lock", ".new"}) {
    ExpectStatus(ListenAt(address_ + suffix).status(), absl::StatusCode::kInvalidArgument,
                 {absl::StrCat(address_, suffix, ": a name that ends in ", suffix,
                               " belongs to the server whose path lacks that")});
    internal::UniqueFd other = ForeignSocket(path_ + suffix, SOCK_STREAM);
    EXPECT_TRUE(ConnectTo(address_ + suffix).ok());
    std::filesystem::remove(path_ + suffix);
  }
}

TEST_F(UnixSocketTest, LeftoversAreTakenOver) {
  std::ofstream(path_ + ".lock").close();
  ForeignSocket(path_, SOCK_STREAM);
  ForeignSocket(path_ + ".new", SOCK_STREAM);
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

TEST_F(UnixSocketTest, ALostLockFileDoesNotLoseTheName) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::filesystem::remove(path_ + ".lock");
  BodyProcess second("Serves", At(address_));
  EXPECT_NE(second.ReadLine().find("by a process that does not lock"), std::string::npos);
  EXPECT_TRUE(ConnectTo(address_).ok());
  // It does not remove what it no longer owns.
  listener->reset();
  EXPECT_EQ(absl::StrJoin(folder_.Names(), " "), "x");
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_F(UnixSocketTest, APathFitsOrIsRefused) {
  const std::string longest = path_ + std::string(103 - path_.size(), 'y');
  auto listener = ListenAt("unix:" + longest);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, "unix:" + longest);
  ExpectToCarry(*client, *server);
  ExpectStatus(ListenAt("unix:" + longest + "y").status(), absl::StatusCode::kInvalidArgument,
               {"unix:" + longest + "y: the path has 104 bytes, of which a socket can have 103"});
  ExpectStatus(ConnectTo("unix:" + longest + "yyyyy").status(), absl::StatusCode::kInvalidArgument,
               {"the path has 108 bytes, of which a socket can have 107"});
}

TEST_F(UnixSocketTest, AServerThatAcceptsNobodyIsTooLate) {
  internal::UniqueFd server = ForeignSocket(path_, SOCK_STREAM);
  std::vector<std::unique_ptr<Transport>> waiting;
  absl::StatusOr<std::unique_ptr<Transport>> client;
  while ((client = ConnectTo(address_, absl::Milliseconds(20))).ok() && waiting.size() < 10) {
    waiting.push_back(*std::move(client));
  }
  ExpectStatus(client.status(), absl::StatusCode::kDeadlineExceeded,
               {address_ + ": the server has not accepted"});
  std::filesystem::remove(path_);
}

TEST_F(UnixSocketTest, AShortageWhileAcceptingPasses) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto client = ConnectTo(address_);
  ASSERT_TRUE(client.ok()) << client.status();
  for (int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EPERM, EPROTO, EIO}) {
    auto fault = FaultInjector::Fail(Call::kAccept, 1, error);
    ExpectStatus((*listener)->TryAccept().status(), absl::StatusCode::kResourceExhausted,
                 {address_ + ": accept"});
  }
  for (int error : {EAGAIN, ECONNABORTED, EINTR}) {
    auto fault = FaultInjector::Fail(Call::kAccept, 1, error);
    auto accepted = (*listener)->TryAccept();
    EXPECT_TRUE(accepted.ok() && *accepted == nullptr);
  }
  auto server = (*listener)->TryAccept();
  ASSERT_TRUE(server.ok() && *server != nullptr);
  ExpectToCarry(**client, **server);
}

TEST_F(UnixSocketTest, WhatIsNoListenerIsWrongForGood) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  for (int error : {EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP}) {
    auto fault = FaultInjector::Fail(Call::kAccept, 1, error);
    absl::Status status = (*listener)->TryAccept().status();
    EXPECT_FALSE(status.ok() || absl::IsResourceExhausted(status)) << status;
  }
}

TEST_F(UnixSocketTest, NobodyConnectsWithoutAUser) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  {
    constexpr int kCredentials = 3;  // after the socket and its mode
    auto fault = FaultInjector::Fail(Call::kSocket, kCredentials, EIO);
    ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnknown,
                 {address_ + ": SO_PEERCRED"});
  }
  auto gone = AcceptOne(**listener);
  EXPECT_TRUE(gone.ok() && *gone != nullptr);
  auto client = ConnectTo(address_);
  ASSERT_TRUE(client.ok()) << client.status();
  auto fault = FaultInjector::Fail(Call::kSocket, 1, EIO);
  auto server = (*listener)->TryAccept();
  EXPECT_TRUE(server.ok() && *server == nullptr);
  EXPECT_TRUE(EndsSoon(**client));
}

class AbstractSocketTest : public testing::Test {
 protected:
  const std::string address_ = absl::StrCat("unix-abstract:ferry-test-", getpid());
};

TEST_F(AbstractSocketTest, CarriesMessages) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
  EXPECT_EQ(client->peer().pid, getpid());
  EXPECT_EQ(server->peer().description,
            absl::StrCat("process ", getpid(), " (uid ", geteuid(), ") at ", address_));
}

TEST_F(AbstractSocketTest, ANameIsServedOnce) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  ExpectStatus(ListenAt(address_).status(), absl::StatusCode::kAlreadyExists,
               {address_ + " is served already"});
  BodyProcess second("Serves", At(address_));
  EXPECT_NE(second.ReadLine().find("ALREADY_EXISTS"), std::string::npos);
  auto [client, server] = ConnectPair(**listener, address_);
  ExpectToCarry(*client, *server);
}

TEST_F(AbstractSocketTest, ANameEndsWithItsServer) {
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable,
               {address_ + ": nobody listens"});
  {
    BodyProcess killed("Serves", At(address_));
    ASSERT_EQ(killed.ReadLine(), "ready");
    EXPECT_TRUE(ConnectTo(address_).ok());
  }
  ExpectStatus(ConnectTo(address_).status(), absl::StatusCode::kUnavailable,
               {address_ + ": nobody listens"});
  EXPECT_TRUE(ListenAt(address_).ok());
}

TEST_F(AbstractSocketTest, AForkedChildDoesNotKeepTheName) {
  auto listener = ListenAt(address_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  int told[2];
  ASSERT_EQ(pipe2(told, O_CLOEXEC), 0);
  pid_t child = fork();
  if (child == 0) {
    close(told[1]);  // what fork() does in the child is done
    close(told[0]);
    for (;;) pause();
  }
  close(told[1]);
  char byte;
  EXPECT_EQ(read(told[0], &byte, 1), 0);
  close(told[0]);
  listener->reset();
  EXPECT_EQ(ConnectTo(address_).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(ListenAt(address_).ok());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(AbstractSocketTest, ANameFitsOrIsRefused) {
  const std::string longest = address_ + std::string(107 - address_.size() + 14, 'y');
  auto listener = ListenAt(longest);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(ConnectTo(longest).ok());
  for (const absl::Status& status :
       {ListenAt(longest + "y").status(), ConnectTo(longest + "y").status()}) {
    ExpectStatus(status, absl::StatusCode::kInvalidArgument,
                 {longest + "y: the name has 108 bytes, of which a socket can have 107"});
  }
  for (const char* name : {"unix-abstract:a%00b", "unix-abstract:%00"}) {
    ExpectStatus(ListenAt(name).status(), absl::StatusCode::kInvalidArgument, {"NUL byte"});
    ExpectStatus(ConnectTo(name).status(), absl::StatusCode::kInvalidArgument, {"NUL byte"});
  }
  ExpectStatus(ListenAt("unix-abstract:").status(), absl::StatusCode::kInvalidArgument,
               {"expected unix-abstract:NAME"});
  EXPECT_EQ(ListenUnixAbstract("").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ferry::test
