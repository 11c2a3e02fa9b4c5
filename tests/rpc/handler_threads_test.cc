// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Which thread runs a handler, and whom it delays.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/rpc/echo_service.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

// A busy machine may stop a quick handler in its middle for long, but not in each round.
TEST(HandlerThreadsTest, QuickHandlersNeverHop) {
  TempFolder folder;
  for (const std::string& address : {std::string("inproc:quick"), "unix:" + folder / "quick"}) {
    EchoServer server(address);
    EchoStub stub(server.Connect());
    size_t fewest = 1000;
    for (int round = 0; round < 20 && fewest > 1; ++round) {
      std::set<int64_t> threads;
      for (int i = 0; i < 3000; ++i) threads.insert(stub.Echo(EchoRequest())->thread());
      fewest = std::min(fewest, threads.size());
    }
    EXPECT_EQ(fewest, 1u) << address;
  }
}

TEST(HandlerThreadsTest, ABlockedHandlerThatNobodyMarkedDelaysNobody) {
  EchoServer server("inproc:unmarked");
  Channel channel = server.Connect();
  EchoStub beside(channel), other(server.Connect());
  for (int round = 1; round <= 5; ++round) {
    std::thread held([&] { EXPECT_TRUE(EchoStub(channel).Hold(Empty()).ok()); });
    server.service.AwaitBlocked(round);
    EXPECT_TRUE(beside.Echo(EchoRequest()).ok());
    EXPECT_TRUE(other.Echo(EchoRequest()).ok());
    EXPECT_TRUE(beside.Release(Empty()).ok());
    held.join();
  }
}

TEST(HandlerThreadsTest, AllThreadsButOneMayBeBlocked) {
  EchoServer server("inproc:all_but_one");
  Channel channel = server.Connect();
  EchoStub other(server.Connect());
  std::vector<std::thread> held;
  for (int i = 0; i < 63; ++i) {
    held.emplace_back([&] { EXPECT_TRUE(EchoStub(channel).Hold(Empty()).ok()); });
  }
  server.service.AwaitBlocked(63);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
    EXPECT_TRUE(other.Echo(EchoRequest()).ok());
  }
  EXPECT_TRUE(other.Release(Empty()).ok());
  for (std::thread& thread : held) thread.join();
}

TEST(HandlerThreadsTest, EveryCallOfManyConnectionsGetsItsReply) {
  EchoServer server("inproc:many");
  std::vector<Channel> channels;
  for (int i = 0; i < 100; ++i) channels.push_back(server.Connect());
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand random(t + 1);
      for (int i = 0; i < 500; ++i) {
        EchoRequest request;
        request.set_payload(std::to_string(t) + "/" + std::to_string(i));
        if (random() % 50 == 0) request.set_take_us(static_cast<uint32_t>(random() % 10000));
        absl::StatusOr<EchoReply> reply =
            EchoStub(channels[random() % channels.size()]).Echo(request);
        ASSERT_TRUE(reply.ok()) << reply.status();
        ASSERT_EQ(reply->payload(), request.payload());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(HandlerThreadsTest, ABlockedHandlerOfAMarkedMethodDelaysNobody) {
  EchoServer server("inproc:marked");
  Channel channel = server.Connect();
  std::vector<std::thread> blocked;
  for (int i = 0; i < 10; ++i) {
    blocked.emplace_back([&] { EXPECT_TRUE(EchoStub(channel).Block(Empty()).ok()); });
  }
  server.service.AwaitBlocked(10);
  // Only a handler that runs meanwhile can let the others go.
  EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
  EXPECT_TRUE(EchoStub(channel).Release(Empty()).ok());
  for (std::thread& thread : blocked) thread.join();
}

TEST(HandlerThreadsTest, AHandlerThatCallsSomebodyDelaysNobodyMeanwhile) {
  EchoServer server("inproc:caller");
  EchoServer other("inproc:callee");
  server.service.set_elsewhere(other.Connect());
  Channel channel = server.Connect();
  std::thread caller([&] { EXPECT_TRUE(EchoStub(channel).BlockElsewhere(Empty()).ok()); });
  other.service.AwaitBlocked(1);
  EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
  other.service.LetGo();
  caller.join();
}

TEST(HandlerThreadsTest, PastMaxThreadsRequestsWait) {
  ServerOptions options;
  options.max_threads = 3;
  EchoServer server("inproc:few", options);
  Channel channel = server.Connect();
  std::vector<std::thread> blocked;
  for (int i = 0; i < 6; ++i) {
    blocked.emplace_back([&] { EXPECT_TRUE(EchoStub(channel).Block(Empty()).ok()); });
  }
  server.service.AwaitBlocked(3);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(server.service.blocked(), 3);
  server.service.LetGo();
  for (std::thread& thread : blocked) thread.join();
  EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
}

TEST(HandlerThreadsTest, OneThreadServesManyConnections) {
  ServerOptions options;
  options.max_threads = 1;
  EchoServer server("inproc:one", options);
  std::vector<Channel> channels;
  for (int i = 0; i < 20; ++i) channels.push_back(server.Connect());
  for (const Channel& channel : channels) EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
}

}  // namespace
}  // namespace ferry::test
