// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Whom a server serves, and how many.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ferry/rpc/internal/hello.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/inproc_transport.h"
#include "tests/rpc/await_end.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

std::unique_ptr<Transport> RawConnection(const std::string& address) {
  return *ConnectTransport(*Address::Parse(address), kNoDeadline);
}

void Send(Transport& transport, FrameType type, const google::protobuf::MessageLite& message) {
  FrameHeader header;
  header.type = type;
  header.method = kHelloMagic;
  if (type == FrameType::kRequest) {
    header.flags = kFlagEnd;
    header.call = CallId::Make(0, 3, 5);
    header.method = MethodId("ferry.test.Echo/Echo");
  }
  std::string bytes = message.SerializeAsString();
  Reservation reservation;
  if (transport.Reserve(header, bytes.size(), reservation) != ReserveResult::kOk) return;
  bytes.copy(reservation.data, bytes.size());
  transport.Commit(reservation);
  transport.Flush(kNoDeadline);
}

TEST(ServerLimitsTest, AConnectionTooManyIsRefusedUntilAnotherLeaves) {
  ServerOptions options;
  options.max_connections = 2;
  EchoServer server("inproc:limited", options);
  EchoStub first(server.Connect());
  {
    Channel second = server.Connect();
    for (int i = 0; i < 3; ++i) {
      absl::Status refused = Connect("inproc:limited").status();
      EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
      EXPECT_NE(refused.message().find("the server has 2 connections, and allows no more"),
                refused.message().npos)
          << refused;
    }
    EXPECT_TRUE(EchoStub(second).Echo(EchoRequest()).ok());
  }
  absl::StatusOr<Channel> third = Connect("inproc:limited");
  while (absl::IsResourceExhausted(third.status())) third = Connect("inproc:limited");
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_TRUE(EchoStub(*third).Echo(EchoRequest()).ok());
  EXPECT_TRUE(first.Echo(EchoRequest()).ok());
}

TEST(ServerLimitsTest, AnAddressMayHaveMoreConnectionsThanTheServerSays) {
  ServerOptions options;
  options.max_connections = 1;
  EchoServer server("inproc:limited?max_connections=3", options);
  std::vector<Channel> channels;
  for (int i = 0; i < 3; ++i) channels.push_back(server.Connect());
  absl::Status refused = Connect("inproc:limited").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("has 3 connections"), refused.message().npos) << refused;
}

// With sessions that are slept for, and with such as are polled.
class BusyServerTest : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, BusyServerTest,
                         testing::Values("inproc:shaking", "inproc:shaking?spin=1ms"));

TEST_P(BusyServerTest, WhoDoesNotSayHelloIsClosedWhileOthersCall) {
  ServerOptions options;
  options.handshake_timeout = absl::Milliseconds(50);
  EchoServer server(GetParam(), options);
  EchoStub stub(server.Connect());
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([&] {
      while (!stop.load()) EXPECT_TRUE(stub.Echo(EchoRequest()).ok());
    });
  }
  std::unique_ptr<Transport> silent = RawConnection(GetParam());
  std::unique_ptr<Transport> chatty = RawConnection(GetParam());
  Send(*chatty, FrameType::kHello, internal::MakeHello(1000));
  std::unique_ptr<Transport> another = RawConnection(GetParam());
  AwaitEnd(*silent);
  AwaitEnd(*another);
  EXPECT_EQ(silent->close_reason().code(), StatusCode::kUnavailable) << silent->close_reason();
  stop.store(true);
  for (std::thread& thread : busy) thread.join();
  EXPECT_TRUE(chatty->close_reason().ok()) << chatty->close_reason();
  EXPECT_TRUE(stub.Echo(EchoRequest()).ok());
}

// Says in which order it was called, once it may begin.
class Recorder final : public EchoService {
 public:
  void AwaitBegun() {
    internal::MutexLock lock(mutex_);
    while (!begun_) changed_.Wait(mutex_);
  }
  void LetGo() {
    internal::MutexLock lock(mutex_);
    let_go_ = true;
    changed_.NotifyAll();
  }
  std::string order() {
    internal::MutexLock lock(mutex_);
    return order_;
  }

 private:
  absl::Status Hold(ServerContext&, const Empty&, Empty&) override {
    internal::MutexLock lock(mutex_);
    begun_ = true;
    changed_.NotifyAll();
    while (!let_go_) changed_.Wait(mutex_);
    return absl::OkStatus();
  }
  absl::Status Echo(ServerContext&, const EchoRequest& request, EchoReply&) override {
    internal::MutexLock lock(mutex_);
    order_ += request.payload();
    return absl::OkStatus();
  }

  internal::Mutex mutex_;
  internal::CondVar changed_;
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  bool let_go_ ABSL_GUARDED_BY(mutex_) = false;
  std::string order_ ABSL_GUARDED_BY(mutex_);
};

TEST(ServerLimitsTest, AFloodOnOneConnectionDelaysNoOther) {
  Recorder recorder;
  ServerOptions options;
  options.max_threads = 1;
  Server server(options);
  server.Register(recorder);
  std::thread serving([&] { EXPECT_TRUE(server.Serve("inproc:flooded").ok()); });
  EchoStub stub(ConnectWhenServed("inproc:flooded"));
  std::unique_ptr<Transport> flooding = RawConnection("inproc:flooded");
  std::unique_ptr<Transport> other = RawConnection("inproc:flooded");
  for (Transport* transport : {flooding.get(), other.get()}) {
    Send(*transport, FrameType::kHello, internal::MakeHello(1000));
  }
  std::thread held([&] { EXPECT_TRUE(stub.Hold(Empty()).ok()); });
  recorder.AwaitBegun();
  // All of this is there when the one thread is back.
  EchoRequest request;
  request.set_payload("f");
  for (int i = 0; i < 1000; ++i) Send(*flooding, FrameType::kRequest, request);
  request.set_payload("o");
  Send(*other, FrameType::kRequest, request);
  recorder.LetGo();
  held.join();
  while (recorder.order().size() < 1001) std::this_thread::yield();
  EXPECT_LT(recorder.order().find('o'), 200u);
  server.Shutdown();
  serving.join();
}

TEST(AdmitTest, AClientIsToldWhyItIsNotServed) {
  std::atomic<bool> open{true};
  ServerOptions options;
  options.admit = [&](const Peer& peer) {
    EXPECT_EQ(peer.pid, getpid());
    return open.load() ? absl::OkStatus() : absl::PermissionDeniedError("members only");
  };
  EchoServer server("inproc:club", options);
  EchoStub member(server.Connect());
  open.store(false);
  absl::Status refused = Connect("inproc:club").status();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(refused.message(), "the other end of inproc:club: members only");
  EXPECT_TRUE(member.Echo(EchoRequest()).ok());
}

int ServeNoParent(bool others) {
  ServerOptions options;
  options.admit = [](const Peer&) { return absl::PermissionDeniedError("orphans only"); };
  Server server(options);
  if (others && !server.Listen("inproc:others").ok()) return 1;
  return absl::IsPermissionDenied(server.Serve("parent:")) ? 0 : 1;
}
CHILD_BODY(RefusesItsParent) { return ServeNoParent(false); }
CHILD_BODY(RefusesItsParentAmongOthers) { return ServeNoParent(true); }

TEST(AdmitTest, AParentIsAskedAboutToo) {
  for (const char* body : {"RefusesItsParent", "RefusesItsParentAmongOthers"}) {
    absl::Status refused = Connect(ChildAddress(body)).status();
    EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused;
    EXPECT_NE(refused.message().find("orphans only"), refused.message().npos) << refused;
  }
}

TEST(AdmitTest, ARefusalCountsThoughTheServerHasGoneSince) {
  auto [client, server] = CreateInprocPair("refusing");
  internal::Refuse(*server, absl::PermissionDeniedError("members only"));
  server.reset();
  absl::Status refused = internal::OpenChannel(std::move(client), {}, kNoDeadline).status();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused;
}

TEST(AdmitTest, AChannelCallsNobodyThatItDoesNotAdmit) {
  EchoServer server("inproc:stranger");
  EchoStub stub(server.Connect());
  ChannelOptions options;
  options.admit = [](const Peer&) { return absl::UnauthenticatedError("who is it?"); };
  absl::Status refused = Connect("inproc:stranger", options).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(refused.message(), "the other end of inproc:stranger: who is it?");
  EXPECT_TRUE(stub.Echo(EchoRequest()).ok());
}

}  // namespace
}  // namespace ferry::test
