// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Which thread runs a handler, and whom it delays.

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

TEST(HandlerThreadsTest, QuickHandlersNeverHop) {
  EchoServer server("inproc:quick");
  EchoStub stub(server.Connect());
  std::set<int64_t> threads;
  for (int i = 0; i < 1000; ++i) threads.insert(stub.Echo(EchoRequest())->thread());
  EXPECT_EQ(threads.size(), 1u);
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
