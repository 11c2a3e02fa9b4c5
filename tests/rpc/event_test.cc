// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a server says of what happens to it, and the limits that it says most about.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/endpoint.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

// The events of a server, as text.
class Log {
 public:
  EventSink Sink() {
    return [this](const Event& event) {
      internal::MutexLock lock(mutex_);
      lines_.push_back(ToString(event));
      changed_.NotifyAll();
    };
  }

  // Waits for so many that contain the text, and answers the last.
  std::string Await(absl::string_view text, int count = 1) {
    internal::MutexLock lock(mutex_);
    for (;;) {
      int found = 0;
      for (const std::string& line : lines_) {
        if (absl::StrContains(line, text) && ++found == count) return line;
      }
      changed_.Wait(mutex_);
    }
  }

 private:
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class EventTest : public testing::Test {
 protected:
  void Start() {
    options_.on_event = log_.Sink();
    server_.emplace(kAddress, options_);
    server_->Connect();
    log_.Await("closed");
  }

  static constexpr char kAddress[] = "inproc:telling";
  ServerOptions options_;
  Log log_;
  std::optional<EchoServer> server_;
};

TEST_F(EventTest, ComingAndGoingAreTold) {
  Start();
  {
    Channel channel = server_->Connect();
    EXPECT_EQ(log_.Await("connected", 2),
              "connected inproc:telling, the other end of inproc:telling");
  }
  EXPECT_TRUE(absl::StartsWith(log_.Await("closed", 2),
                               "closed inproc:telling, the other end of "
                               "inproc:telling: UNAVAILABLE: "));
  Channel there = server_->Connect();
  server_.reset();
  EXPECT_EQ(log_.Await("draining"), "draining inproc:telling");
  EXPECT_TRUE(absl::StrContains(log_.Await("closed", 3), "CANCELLED: the server was shut down"));
}

TEST_F(EventTest, AProcessMayHaveSoManyConnections) {
  options_.max_connections_per_process = 2;
  Start();
  Channel first = server_->Connect();
  std::optional<Channel> second = server_->Connect();
  absl::Status refused = Connect(kAddress).status();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  std::string why = absl::StrCat("process ", getpid(),
                                 " has 2 connections, and is allowed no more "
                                 "(max_connections_per_process)");
  EXPECT_TRUE(absl::StrContains(refused.message(), why)) << refused;
  EXPECT_TRUE(absl::StrContains(log_.Await("refused"), why));
  second.reset();
  log_.Await("closed", 2);
  EXPECT_TRUE(Connect(kAddress).ok());
}

TEST_F(EventTest, SoManyMayBeSilent) {
  options_.max_handshakes = 2;
  Start();
  Address address = *Address::Parse(kAddress);
  std::unique_ptr<Transport> silent = *ConnectTransport(address, kNoDeadline);
  std::unique_ptr<Transport> another = *ConnectTransport(address, kNoDeadline);
  absl::Status refused = Connect(kAddress).status();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(refused.message(), "2 clients have not said hello")) << refused;
  EXPECT_TRUE(absl::StrContains(log_.Await("refused"), "(max_handshakes)"));
  another.reset();
  log_.Await("closed", 2);
  // Those who have said it count no more.
  std::vector<Channel> channels;
  for (int i = 0; i < 5; ++i) {
    absl::StatusOr<Channel> channel = Connect(kAddress);
    ASSERT_TRUE(channel.ok()) << channel.status();
    channels.push_back(*channel);
    log_.Await("connected", i + 2);
  }
}

TEST_F(EventTest, AConnectionMayHaveSoManyHandlersRunning) {
  options_.max_requests = 2;
  Start();
  Channel channel = server_->Connect(), other = server_->Connect();
  std::vector<std::thread> blocked;
  for (int i = 0; i < 2; ++i) {
    blocked.emplace_back([&] { EXPECT_TRUE(EchoStub(channel).Block(Empty()).ok()); });
    server_->service.AwaitBlocked(i + 1);
  }
  for (int i = 0; i < 3; ++i) {
    absl::Status refused = EchoStub(channel).Echo(EchoRequest()).status();
    EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
    EXPECT_TRUE(absl::StrContains(refused.message(), "handlers of 2 calls")) << refused;
  }
  EXPECT_TRUE(absl::StrContains(log_.Await("limit reached", 3), "(max_requests)"));
  EXPECT_TRUE(EchoStub(other).Echo(EchoRequest()).ok());
  EXPECT_TRUE(EchoStub(other).Release(Empty()).ok());
  for (std::thread& thread : blocked) thread.join();
  // As soon as the server knows that they have returned.
  while (!EchoStub(channel).Echo(EchoRequest()).ok()) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
}

TEST_F(EventTest, AConnectionMayHoldSoMuchOfUnfinishedRequests) {
  options_.max_connection_memory = 100000;
  Start();
  EchoRequest request;
  request.set_payload(std::string(200000, 'x'));
  Channel channel = server_->Connect();
  absl::Status refused = EchoStub(channel).Echo(request).status();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(refused.message(), "more than 100000 bytes")) << refused;
  EXPECT_TRUE(absl::StrContains(log_.Await("limit reached"), "(max_connection_memory)"));
  EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
}

}  // namespace
}  // namespace ferry::test
