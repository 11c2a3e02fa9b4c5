// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Servers, each in a process of its own, that are shut down by a signal while their clients
// call without pause.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/spawn.h"
#include "ferry/transport/endpoint.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/body_process.h"
#include "tests/support/child_body.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using absl::StatusCode;
using std::chrono::steady_clock;

constexpr absl::Duration kLongGrace = absl::Seconds(30);

// Counts what it runs. Block is marked, and runs beside others.
class Counting final : public EchoService {
 public:
  int executed() const { return executed_.load(); }

 private:
  absl::Status Echo(ServerContext&, const EchoRequest& request, EchoReply& reply) override {
    ++executed_;
    std::this_thread::sleep_for(std::chrono::microseconds(request.take_us()));
    reply.mutable_payload()->append(request.grow(), '+');
    reply.set_pid(getpid());
    if (holds_) reply.set_payload("holds");
    return absl::OkStatus();
  }
  absl::Status Block(ServerContext&, const Empty&, Empty&) override {
    ++executed_;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return absl::OkStatus();
  }
  absl::Status Hold(ServerContext& context, const Empty&, Empty&) override {
    ++executed_;
    holds_ = true;
    while (!context.IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return absl::OkStatus();
  }

  std::atomic<int> executed_{0};
  std::atomic<bool> holds_{false};
};

Server* to_shut_down = nullptr;
absl::Duration grace_of_signal = kLongGrace;

// Serves $AT until SIGTERM, whose handler gives it $GRACE; writes into the file $COUNT how
// many calls it has executed.
CHILD_BODY(CountsUntilSigterm) {
  Counting service;
  Server server;
  server.Register(service);
  if (!absl::ParseDuration(Variable("GRACE"), &grace_of_signal)) return 2;
  to_shut_down = &server;
  signal(SIGTERM, [](int) {
    errno = 4711;
    to_shut_down->Shutdown(grace_of_signal);
    if (errno != 4711) _exit(3);
  });
  absl::Status served = server.Serve(Variable("AT"));
  std::ofstream(Variable("COUNT")) << service.executed();
  return served.ok() ? 0 : 1;
}

struct Way {
  const char* name;
  const char* scheme;  // of an address with a name; "": by exec:
  const char* link = "";
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

class ShutdownTest : public testing::TestWithParam<Way> {
 protected:
  bool IsChild() const { return *GetParam().scheme == '\0'; }
  std::string address() const { return absl::StrCat(GetParam().scheme, ":", folder_ / "server"); }

  void Start(const std::string& grace) {
    if (!IsChild()) {
      server_ = std::make_unique<BodyProcess>(
          "CountsUntilSigterm",
          std::vector<std::string>{"AT=" + address(), "GRACE=" + grace, "COUNT=" + count_});
      pid_ = server_->pid();
      return;
    }
    const char* at = absl::string_view(GetParam().link) == "stdio" ? "stdio:" : "parent:";
    absl::StatusOr<Address> program = Address::Parse(
        absl::StrCat(ChildAddress("CountsUntilSigterm"), "&transport=", GetParam().link,
                     "&env=AT=", at, "&env=GRACE=", grace, "&env=COUNT=", count_));
    absl::StatusOr<Child> child = Spawn(*ChildOptionsOf(*program));
    ASSERT_TRUE(child.ok()) << child.status();
    child_.emplace(*std::move(child));
    pid_ = static_cast<pid_t>(child_->pid());
  }

  // A child has one channel, a server with a name has one for each who asks.
  Channel Client() { return IsChild() ? child_->channel() : ConnectWhenServed(address()); }

  void Terminate() {
    ASSERT_GT(pid_, 0) << "kill(2) would take it for many";
    ASSERT_EQ(kill(pid_, SIGTERM), 0);
  }

  // How many calls it has executed, when it has ended.
  int AwaitCount() {
    if (IsChild()) {
      EXPECT_EQ(child_->Wait(absl::InfiniteDuration())->ToString(), "exited with code 0");
    } else {
      EXPECT_EQ(server_->Wait(), 0);
    }
    int count = -1;
    std::ifstream(count_) >> count;
    remove(count_.c_str());
    return count;
  }

  TempFolder folder_;
  const std::string count_ = folder_ / "count";
  std::unique_ptr<BodyProcess> server_;
  std::optional<Child> child_;
  pid_t pid_ = -1;
};

TEST_P(ShutdownTest, UnderLoadEveryCallIsAnsweredOrFailsOnce) {
  Start(absl::FormatDuration(kLongGrace));
  std::atomic<int> answered{0}, unsure{0};
  std::vector<std::thread> clients;
  for (uint32_t i = 0; i < 6; ++i) {
    clients.emplace_back([&, i, stub = EchoStub(Client())] {
      EchoRequest request;
      for (uint32_t n = 0;; ++n) {
        request.set_take_us(n % 16 == 0 ? 100 * i : 0);
        request.set_grow(n % 64 == 0 ? 200000 : 10);
        absl::Status status = i == 0 ? stub.Block(Empty()).status() : stub.Echo(request).status();
        if (status.ok()) {
          ++answered;
          continue;
        }
        EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
        std::optional<CallFailure> failure = CallFailureOf(status);
        ASSERT_TRUE(failure.has_value()) << status;
        if (failure->delivery == CallFailure::Delivery::kMaybeExecuted) ++unsure;
        return;
      }
    });
  }
  while (answered < 500) std::this_thread::yield();
  auto begin = steady_clock::now();
  Terminate();
  for (std::thread& client : clients) client.join();
  int executed = AwaitCount();
  EXPECT_LT(absl::FromChrono(steady_clock::now() - begin), kLongGrace);
  EXPECT_EQ(executed, answered) << unsure << " may have been executed";
}

TEST_P(ShutdownTest, ALongCallIsAnsweredWhileAnotherServerTakesTheName) {
  Start(absl::FormatDuration(kLongGrace));
  std::atomic<bool> done{false};
  std::thread caller([&, stub = EchoStub(Client())] {
    EchoRequest request;
    request.set_take_us(700000);
    absl::StatusOr<EchoReply> reply = stub.Echo(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    done = true;
  });
  // Terminated before it has begun, it would not.
  EXPECT_TRUE(EchoStub(Client()).Echo(EchoRequest()).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  Terminate();
  if (!IsChild()) {
    EchoImpl service;
    Server next;
    next.Register(service);
    absl::Status listens = next.Listen(address());
    while (absl::IsAlreadyExists(listens)) listens = next.Listen(address());
    EXPECT_TRUE(listens.ok()) << listens;
    std::thread serving([&] { EXPECT_TRUE(next.Serve().ok()); });
    absl::StatusOr<EchoReply> reply = EchoStub(Client()).Echo(EchoRequest());
    EXPECT_TRUE(reply.ok() && reply->pid() == getpid()) << reply.status();
    EXPECT_FALSE(done) << "the new one has waited for the old one";
    next.Shutdown();
    serving.join();
  }
  caller.join();
  EXPECT_GE(AwaitCount(), 1);
}

TEST_P(ShutdownTest, WhatRunsBeyondTheGraceIsCancelled) {
  Start("50ms");
  std::thread caller([&, stub = EchoStub(Client())] {
    absl::Status status = stub.Hold(Empty()).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
    EXPECT_EQ(CallFailureOf(status)->delivery, CallFailure::Delivery::kMaybeExecuted) << status;
  });
  Channel other = Client();
  for (;;) {
    absl::StatusOr<EchoReply> reply = EchoStub(other).Echo(EchoRequest());
    ASSERT_TRUE(reply.ok()) << reply.status();
    if (reply->payload() == "holds") break;
  }
  while (EchoStub(other).Echo(EchoRequest()).ok()) {
    Terminate();  // also again and again
    std::this_thread::yield();
  }
  caller.join();
  EXPECT_GE(AwaitCount(), 1);
}

INSTANTIATE_TEST_SUITE_P(All, ShutdownTest,
                         testing::Values(Way{"unix", "unix"}, Way{"named_pipe", "named-pipe"},
                                         Way{"shm", "shm"}, Way{"exec_pipe", "", "pipe"},
                                         Way{"exec_stdio", "", "stdio"},
                                         Way{"exec_unix", "", "unix"}, Way{"exec_shm", "", "shm"}),
                         [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace ferry::test
