// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// At which addresses a server serves, and until when.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ferry/transport/endpoint.h"
#include "tests/rpc/await_end.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

std::unique_ptr<Transport> RawConnection(const std::string& address) {
  return *ConnectTransport(*Address::Parse(address), kNoDeadline);
}

// A server that each test starts for itself.
class ServerLifeTest : public testing::Test {
 protected:
  ServerLifeTest() { server_->Register(service_); }

  EchoImpl service_;
  std::unique_ptr<Server> server_ = std::make_unique<Server>();
};

TEST_F(ServerLifeTest, OneServerServesSeveralAddresses) {
  ASSERT_TRUE(server_->Listen("inproc:first").ok());
  ASSERT_TRUE(server_->Listen("inproc:second").ok());
  // They are there already; who connects waits for Serve.
  std::thread serving([&] { EXPECT_TRUE(server_->Serve("inproc:third").ok()); });
  for (const char* address : {"inproc:first", "inproc:second", "inproc:third"}) {
    Channel channel = ConnectWhenServed(address);
    EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
  }
  server_->Shutdown();
  serving.join();
  for (const char* address : {"inproc:first", "inproc:second", "inproc:third"}) {
    EXPECT_EQ(Connect(address).status().code(), StatusCode::kUnavailable);
  }
}

TEST_F(ServerLifeTest, WithoutAnAddressThereIsNothingToServe) {
  EXPECT_EQ(server_->Serve().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(server_->Serve().message(), "the server has no address to listen at");
}

TEST_F(ServerLifeTest, ANameIsServedByOneServerUntilItGoes) {
  Server other;
  ASSERT_TRUE(server_->Listen("inproc:taken").ok());
  EXPECT_EQ(server_->Listen("inproc:taken").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(other.Listen("inproc:taken").code(), StatusCode::kAlreadyExists);
  server_.reset();
  EXPECT_EQ(Connect("inproc:taken").status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(other.Listen("inproc:taken").ok());
}

TEST_F(ServerLifeTest, ShutdownBeforeServeEndsItAtOnce) {
  ASSERT_TRUE(server_->Listen("inproc:early").ok());
  std::unique_ptr<Transport> waiting = RawConnection("inproc:early");
  server_->Shutdown();
  EXPECT_TRUE(server_->Serve().ok());
  AwaitEnd(*waiting);
  EXPECT_EQ(Connect("inproc:early").status().code(), StatusCode::kUnavailable);
}

TEST_F(ServerLifeTest, ShutdownWhileClientsComeAndGo) {
  for (int round = 0; round < 50; ++round) {
    Server server;
    server.Register(service_);
    std::thread serving([&] { EXPECT_TRUE(server.Serve("inproc:rush").ok()); });
    std::atomic<int> connected{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back([&] {
        ConnectWhenServed("inproc:rush");
        ++connected;
        for (;;) {
          absl::StatusOr<Channel> channel = Connect("inproc:rush");
          absl::Status status = channel.status();
          if (status.ok()) status = EchoStub(*channel).Echo(EchoRequest()).status();
          if (status.ok()) continue;
          EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
          return;
        }
      });
    }
    while (connected.load() < 3) std::this_thread::yield();
    server.Shutdown();
    serving.join();
    for (std::thread& client : clients) client.join();
  }
}

TEST_F(ServerLifeTest, ShutdownWaitsForHandlersAndLetsTheNameGo) {
  std::atomic<bool> returned{false};
  std::thread serving([&] {
    EXPECT_TRUE(server_->Serve("inproc:leaving").ok());
    returned.store(true);
  });
  Channel channel = ConnectWhenServed("inproc:leaving");
  auto fails = [&](absl::StatusOr<Empty> reply) {
    EXPECT_EQ(reply.status().code(), StatusCode::kUnavailable) << reply.status();
  };
  std::vector<std::thread> calls;
  calls.emplace_back([&] { fails(EchoStub(channel).Block(Empty())); });
  calls.emplace_back([&] { fails(EchoStub(channel).Hold(Empty())); });
  service_.AwaitBlocked(2);
  server_->Shutdown();
  for (std::thread& call : calls) call.join();
  Server next;
  while (absl::IsAlreadyExists(next.Listen("inproc:leaving"))) std::this_thread::yield();
  EXPECT_FALSE(returned.load()) << "handlers are still running";
  service_.LetGo();
  serving.join();
}

TEST_F(ServerLifeTest, TheNameIsFreeAsSoonAsServeReturns) {
  service_.LetGo();
  std::vector<std::unique_ptr<Server>> earlier;  // their threads may still be at it
  for (int round = 0; round < 100; ++round) {
    absl::Status listens = server_->Listen("inproc:again");
    ASSERT_TRUE(listens.ok()) << listens;
    std::thread caller([&] {
      EchoStub stub(ConnectWhenServed("inproc:again"));
      EXPECT_TRUE(stub.Block(Empty()).ok());
      server_->Shutdown();
    });
    EXPECT_TRUE(server_->Serve().ok());
    Server next;
    listens = next.Listen("inproc:again");
    EXPECT_TRUE(listens.ok()) << listens;
    caller.join();
    earlier.push_back(std::exchange(server_, std::make_unique<Server>()));
    server_->Register(service_);
  }
}

TEST_F(ServerLifeTest, AHandlerMayShutItsServerDown) {
  class Quit final : public EchoService {
   public:
    explicit Quit(Server& server) : server_(server) {}

   private:
    absl::Status Release(ServerContext&, const Empty&, Empty&) override {
      server_.Shutdown();
      return absl::OkStatus();
    }
    Server& server_;
  };
  Server server;
  Quit quit(server);
  server.Register(quit);
  std::thread serving([&] { EXPECT_TRUE(server.Serve("inproc:quit").ok()); });
  // Its reply may just leave before the connection is closed.
  absl::Status status = EchoStub(ConnectWhenServed("inproc:quit")).Release(Empty()).status();
  EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
  serving.join();
}

}  // namespace
}  // namespace ferry::test
