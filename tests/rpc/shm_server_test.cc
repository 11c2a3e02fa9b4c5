// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a server over shared memory owes to its clients, and what not to strangers.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/hello.h"
#include "ferry/transport/endpoint.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

std::string Name() { return absl::StrCat("ferry-test-", getpid()); }
std::string Where() { return absl::StrCat("shm:", Name()); }

// Keeps a server busy for as long as it lives: another request for each reply.
class Flood {
 public:
  Flood() : transport_(*ConnectTransport(*Address::Parse(Where() + "?ring=4MiB"), kNoDeadline)) {
    FrameHeader hello;
    hello.type = FrameType::kHello;
    hello.method = kHelloMagic;
    Send(hello, internal::MakeHello(1000));
    for (uint32_t i = 0; i < 3000; ++i) SendRequest(CallId::Make(0, i, 1));
    thread_ = std::thread([this] { Run(); });
  }
  ~Flood() {
    stop_.store(true);
    transport_->Interrupt();
    thread_.join();
  }

  int replies() const { return replies_.load(); }

 private:
  void Send(const FrameHeader& header, const google::protobuf::MessageLite& message) {
    std::string bytes = message.SerializeAsString();
    Reservation reservation;
    if (transport_->Reserve(header, bytes.size(), reservation) != ReserveResult::kOk) return;
    bytes.copy(reservation.data, bytes.size());
    transport_->Commit(reservation);
    transport_->Flush(kNoDeadline);
  }
  void SendRequest(CallId call) {
    FrameHeader request;
    request.type = FrameType::kRequest;
    request.flags = kFlagEnd;
    request.call = call;
    request.method = MethodId("ferry.test.Echo/Echo");
    Send(request, EchoRequest());
  }
  void Run() {
    Frame frame;
    for (ReadResult read;
         !stop_.load() && (read = transport_->TryRead(frame)) != ReadResult::kClosed;) {
      if (read == ReadResult::kEmpty) {
        transport_->Wait({});
        continue;
      }
      FrameHeader header = frame.header;
      transport_->Release();
      if (header.type != FrameType::kReply) continue;
      replies_.fetch_add(1);
      SendRequest(header.call);
    }
  }

  const std::unique_ptr<Transport> transport_;
  std::atomic<bool> stop_{false};
  std::atomic<int> replies_{0};
  std::thread thread_;
};

TEST(ShmServerTest, AClientThatIsPolledIsServedThoughAnotherNeverPauses) {
  EchoServer server(Where());
  EchoStub stub(server.Connect());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(stub.Echo(EchoRequest()).ok());
  Flood flood;
  CallOptions options;
  options.timeout = absl::Seconds(60);
  for (int i = 0; i < 100; ++i) {
    absl::Status status = stub.Echo(EchoRequest(), options).status();
    ASSERT_TRUE(status.ok()) << status;
  }
  // Some dozens are served in a row; a client that lost its CPU finds more.
  EXPECT_LT(flood.replies(), 100 * 5000);
}

TEST(ShmServerTest, AConnectionTooManyIsToldSo) {
  ServerOptions options;
  options.max_connections = 1;
  EchoServer server(Where(), options);
  EchoStub only(server.Connect());
  absl::Status refused = Connect(Where()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("the server has 1 connections, and allows no more"),
            refused.message().npos)
      << refused;
  EXPECT_TRUE(only.Echo(EchoRequest()).ok());
}

// A descriptor that nobody receives counts as one of the server's user, until whoever it was
// sent to is gone.
TEST(ShmServerTest, WhoIsNotAdmittedIsToldWhyAndGetsNoMemory) {
  std::atomic<bool> open{true};
  ServerOptions options;
  options.admit = [&](const Peer& peer) {
    EXPECT_EQ(peer.pid, getpid());
    return open.load() ? absl::OkStatus() : absl::PermissionDeniedError("members only");
  };
  EchoServer server(Where(), options);
  EchoStub member(server.Connect());
  open.store(false);
  absl::Status refused = Connect(Where()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_NE(refused.message().find("members only"), refused.message().npos) << refused;

  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::string name = absl::StrCat("ferry-shm:", Name());
  name.copy(address.sun_path + 1, name.size());
  internal::UniqueFd stranger(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(connect(stranger.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  char data[1000];
  struct iovec piece = {data, sizeof(data)};
  char control[CMSG_SPACE(sizeof(int))];
  struct msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  EXPECT_GT(recvmsg(stranger.get(), &message, 0), 0);
  EXPECT_EQ(message.msg_controllen, 0u) << "it was given a descriptor";
  EXPECT_EQ(recv(stranger.get(), data, sizeof(data), 0), 0);
  EXPECT_TRUE(member.Echo(EchoRequest()).ok());
}

}  // namespace
}  // namespace ferry::test
