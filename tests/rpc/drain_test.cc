// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What clients see, frame by frame, of a server that is shut down.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "ferry/rpc/internal/hello.h"
#include "ferry/transport/endpoint.h"
#include "tests/rpc/echo_service.h"
#include "tests/rpc/event_log.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

void Send(Transport& transport, FrameHeader header, const google::protobuf::MessageLite& message) {
  std::string bytes = message.SerializeAsString();
  Reservation reservation;
  if (transport.Reserve(header, bytes.size(), reservation) != ReserveResult::kOk) return;
  bytes.copy(reservation.data, bytes.size());
  transport.Commit(reservation);
  transport.Flush(kNoDeadline);
}

// A client that has said hello.
std::unique_ptr<Transport> RawClient(const std::string& address) {
  std::unique_ptr<Transport> client = *ConnectTransport(*Address::Parse(address), kNoDeadline);
  FrameHeader hello;
  hello.type = FrameType::kHello;
  hello.method = kHelloMagic;
  Send(*client, hello, internal::MakeHello(10000000));
  return client;
}

void Request(Transport& client, uint32_t index, const char* method) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.flags = kFlagEnd;
  header.call = CallId::Make(0, index, 1);
  header.method = MethodId(method);
  Send(client, header, Empty());
}

// All that comes: "hello", "reply 0", "goaway 14" …
std::vector<std::string> Received(Transport& client) {
  std::vector<std::string> received;
  for (Frame frame;;) {
    ReadResult result = client.TryRead(frame);
    if (result == ReadResult::kClosed) return received;
    if (result == ReadResult::kEmpty) {
      client.Wait({});
      continue;
    }
    std::string name(FrameTypeName(frame.header.type));
    if (frame.header.type != FrameType::kHello) name += " " + std::to_string(frame.header.aux);
    received.push_back(name);
    client.Release();
  }
}

class DrainTest : public testing::Test {
 protected:
  void Start(const ServerOptions& options = {}) {
    server_ = std::make_unique<Server>(options);
    server_->Register(service_);
    ASSERT_TRUE(server_->Listen(address_).ok());
    serving_ = std::thread([this] { EXPECT_TRUE(server_->Serve().ok()); });
  }

  using Frames = std::vector<std::string>;

  std::string address_ = "inproc:draining";
  EchoImpl service_;
  std::unique_ptr<Server> server_;
  std::thread serving_;
};

TEST_F(DrainTest, AClientIsToldFirstThatAndThenWhatDidNotRun) {
  Start();
  std::unique_ptr<Transport> client = RawClient(address_);
  Request(*client, 0, "ferry.test.Echo/Block");
  service_.AwaitBlocked(1);
  server_->Shutdown(absl::InfiniteDuration());
  Frame frame;
  Frames before;
  while (before.size() < 2) {
    if (client->TryRead(frame) == ReadResult::kEmpty) {
      client->Wait({});
      continue;
    }
    before.push_back(std::string(FrameTypeName(frame.header.type)));
    client->Release();
  }
  EXPECT_EQ(before, (Frames{"hello", "goaway"}));
  Request(*client, 1, "ferry.test.Echo/Block");    // comes too late
  Request(*client, 2, "ferry.test.Echo/Missing");  // is answered, or not any more
  service_.LetGo();
  Frames after = Received(*client);
  EXPECT_EQ(std::count(after.begin(), after.end(), "reply 0"), 1);
  EXPECT_EQ(after.back(), "goaway 14");
  serving_.join();
  EXPECT_EQ(service_.blocked(), 1);
}

TEST_F(DrainTest, WhatTheOnlyThreadHasNotTakenDoesNotRun) {
  ServerOptions options;
  options.max_threads = 1;
  Start(options);
  std::unique_ptr<Transport> client = RawClient(address_);
  Request(*client, 0, "ferry.test.Echo/Hold");
  service_.AwaitBlocked(1);
  for (uint32_t i = 1; i < 100; ++i) Request(*client, i, "ferry.test.Echo/Hold");
  server_->Shutdown(absl::InfiniteDuration());
  while (!absl::IsUnavailable(Connect(address_).status())) std::this_thread::yield();
  service_.LetGo();
  Frames received = Received(*client);  // the first GOAWAY may come behind the reply
  EXPECT_EQ(std::count(received.begin(), received.end(), "reply 0"), 1);
  EXPECT_EQ(received.size(), 4u);
  EXPECT_EQ(received.back(), "goaway 14");
  serving_.join();
  EXPECT_EQ(service_.blocked(), 1);
}

// While another has: in the leader's hands, and in those of a thread that has lost the lead.
class IdleClientTest : public DrainTest,
                       public testing::WithParamInterface<std::tuple<absl::Duration, const char*>> {
};
INSTANTIATE_TEST_SUITE_P(All, IdleClientTest,
                         testing::Combine(testing::Values(absl::ZeroDuration(), absl::Hours(1)),
                                          testing::Values("ferry.test.Echo/Hold",
                                                          "ferry.test.Echo/Block")));

TEST_P(IdleClientTest, IsToldAtOnce) {
  auto [grace, method] = GetParam();
  ServerOptions options;
  options.max_threads = method == std::string("ferry.test.Echo/Hold") ? 1 : 2;
  Start(options);
  std::unique_ptr<Transport> client = RawClient(address_), busy = RawClient(address_);
  EXPECT_TRUE(EchoStub(ConnectWhenServed(address_)).Echo(EchoRequest()).ok());
  Request(*busy, 0, method);
  service_.AwaitBlocked(1);
  server_->Shutdown(grace);
  EXPECT_EQ(Received(*client), (Frames{"hello", "goaway 0", "goaway 14"}));
  // Without a grace it ends before the handler does.
  if (grace != absl::ZeroDuration()) service_.LetGo();
  Frames of_busy = Received(*busy);
  service_.LetGo();
  Frames cut_off = {"hello", "goaway 0"}, answered = {"hello", "goaway 0", "reply 0", "goaway 14"};
  EXPECT_EQ(of_busy, grace == absl::ZeroDuration() ? cut_off : answered);
  serving_.join();
}

TEST_F(DrainTest, AHandlerOfAClientThatHasGoneKeepsNoOtherWaiting) {
  EventLog log;
  ServerOptions options;
  options.on_event = log.sink();
  Start(options);
  std::unique_ptr<Transport> client = RawClient(address_), gone = RawClient(address_);
  Request(*gone, 0, "ferry.test.Echo/Block");
  service_.AwaitBlocked(1);
  gone.reset();
  log.Await(Event::Type::kClosed, 1);
  server_->Shutdown(absl::InfiniteDuration());
  EXPECT_EQ(Received(*client), (Frames{"hello", "goaway 0", "goaway 14"}));
  service_.LetGo();
  serving_.join();
}

TEST_F(DrainTest, AReplyThatTheClientHasNotReadIsWaitedFor) {
  TempFolder folder;
  address_ = "unix:" + folder / "server";
  Start();
  std::unique_ptr<Transport> client = RawClient(address_);
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.flags = kFlagEnd;
  header.call = CallId::Make(0, 0, 1);
  header.method = MethodId("ferry.test.Echo/Echo");
  EchoRequest request;
  request.set_grow(5000000);
  Send(*client, header, request);
  Request(*client, 1, "ferry.test.Echo/Block");
  service_.AwaitBlocked(1);  // behind the other
  service_.LetGo();
  server_->Shutdown(absl::InfiniteDuration());
  while (!absl::IsUnavailable(Connect(address_).status())) std::this_thread::yield();
  Frames received = Received(*client);
  EXPECT_EQ(std::count(received.begin(), received.end(), "reply 0"), 2);
  EXPECT_GE(std::count(received.begin(), received.end(), "continue 0"), 5000000 / 65536);
  EXPECT_EQ(received.back(), "goaway 14");
  serving_.join();
}

TEST_F(DrainTest, TheShortestGraceCounts) {
  Start();
  Channel channel = ConnectWhenServed(address_);
  std::thread caller([&] { EXPECT_FALSE(EchoStub(channel).Block(Empty()).ok()); });
  service_.AwaitBlocked(1);
  for (absl::Duration grace : {absl::InfiniteDuration(), absl::Hours(1), absl::Milliseconds(1),
                               absl::Hours(1), absl::InfiniteDuration()}) {
    server_->Shutdown(grace);
  }
  caller.join();  // while its handler runs
  service_.LetGo();
  serving_.join();
}

}  // namespace
}  // namespace ferry::test
