// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// More than a server has room for: what it does not serve it refuses, its memory stays
// flat, and others are served meanwhile.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/hello.h"
#include "ferry/transport/endpoint.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/body_process.h"
#include "tests/support/child_body.h"
#include "tests/support/resident_memory.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

constexpr absl::Duration kGenerous = absl::Seconds(20);
constexpr size_t kMiB = 1024 * 1024;

// As many descriptors as this process may have; a child inherits that.
size_t RaiseDescriptors() {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 20000);
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// Serves Echo at $AT with the limits $CONNECTIONS and $MEMORY, until a line comes that is not
// "count", which asks how many connections there are.
CHILD_BODY(ServesWithinLimits) {
  RaiseDescriptors();
  EchoImpl service;
  std::atomic<int> count{0};
  ServerOptions options;
  options.max_threads = 2;  // each that has led keeps some memory
  options.max_connections = std::stoul(Variable("CONNECTIONS"));
  options.max_connection_memory = std::stoul(Variable("MEMORY"));
  options.on_event = [&](const Event& event) {
    if (event.type == Event::Type::kConnected) ++count;
    if (event.type == Event::Type::kClosed) --count;
  };
  Server server(options);
  server.Register(service);
  absl::Status listens = server.Listen(Variable("AT"));
  SayLine(listens.ok() ? "ready" : listens.ToString());
  std::thread controller([&] {
    while (HearLine() == "count") SayLine(std::to_string(count.load()));
    server.Shutdown();
  });
  absl::Status served = server.Serve();
  controller.join();
  return served.ok() ? 0 : 1;
}

class OverloadTest : public testing::TestWithParam<const char*> {
 protected:
  void Start(size_t max_connections, size_t max_memory) {
    server_ = std::make_unique<BodyProcess>(
        "ServesWithinLimits",
        std::vector<std::string>{"AT=" + address(), absl::StrCat("CONNECTIONS=", max_connections),
                                 absl::StrCat("MEMORY=", max_memory)});
    ASSERT_EQ(server_->ReadLine(), "ready");
  }
  void Stop() {
    server_->WriteLine("stop");
    EXPECT_EQ(server_->Wait(), 0);
  }

  std::string address() const { return absl::StrCat(GetParam(), ":", folder_ / "server"); }

  void AwaitCount(const std::string& count) {
    do server_->WriteLine("count");
    while (server_->ReadLine() != count);
  }

  size_t Memory() const { return ResidentMemory(server_->pid()); }

  TempFolder folder_;
  std::unique_ptr<BodyProcess> server_;
};

// Calls now and then, and expects each call to take no longer than any machine needs.
class Bystander {
 public:
  explicit Bystander(Channel channel) : stub_(std::move(channel)), thread_([this] { Run(); }) {}
  ~Bystander() {
    stop_ = true;
    thread_.join();
    EXPECT_GT(calls_.load(), 0);
  }
  int calls() const { return calls_.load(); }

 private:
  void Run() {
    CallOptions options;
    options.timeout = kGenerous;
    for (; !stop_; ++calls_) {
      absl::Status status = stub_.Echo(EchoRequest(), options).status();
      EXPECT_TRUE(status.ok()) << status;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  EchoStub stub_;
  std::atomic<bool> stop_{false};
  std::atomic<int> calls_{0};
  std::thread thread_;
};

// With fewer descriptors than that takes, here or there, it is done on a smaller scale.
TEST_P(OverloadTest, WhoDoesNotFitIsRefused) {
  size_t descriptors = RaiseDescriptors();
  bool is_unix = absl::StartsWith(GetParam(), "unix");  // the others take longer, too
  size_t limit = std::min<size_t>(is_unix ? 1000 : 250, (descriptors - 100) / (is_unix ? 2 : 5));
  size_t attempts = 5 * limit;
  Start(limit, 128 * kMiB);
  auto bystander = std::make_unique<Bystander>(ConnectWhenServed(address()));
  std::vector<size_t> memory;
  for (int round = 0; round < 5; ++round) {
    AwaitCount("1");
    std::vector<std::thread> threads;
    std::vector<std::vector<Channel>> accepted(4);
    std::atomic<size_t> refused{0};
    for (auto& own : accepted) {
      threads.emplace_back([&] {
        for (size_t i = 0; i < attempts / accepted.size(); ++i) {
          absl::StatusOr<Channel> channel = Connect(address());
          if (channel.ok()) {
            own.push_back(*channel);
            continue;
          }
          EXPECT_EQ(channel.status().code(), absl::StatusCode::kResourceExhausted);
          EXPECT_TRUE(absl::StrContains(channel.status().message(), "(max_connections)"))
              << channel.status();
          ++refused;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    size_t there = 0;
    for (const auto& own : accepted) {
      there += own.size();
      for (size_t i = 0; i < own.size(); i += 50) {
        EXPECT_TRUE(EchoStub(own[i]).Echo(EchoRequest()).ok());
      }
    }
    EXPECT_EQ(there, limit - 1);
    EXPECT_EQ(refused, attempts / accepted.size() * accepted.size() - there);
    memory.push_back(Memory());
  }
  bystander.reset();
  AwaitCount("0");
  // What so many connections take, and another thread's share of the heap, but no more.
  EXPECT_LT(memory.back(), memory[0] + 8 * kMiB);
  Stop();
}

TEST_P(OverloadTest, WhoReadsNoRepliesCostsNoMoreThanItMay) {
  constexpr uint32_t kRequests = 3000;
  constexpr uint32_t kReply = 100000;
  Start(10, 4 * kMiB);
  auto bystander = std::make_unique<Bystander>(ConnectWhenServed(address()));
  size_t before = Memory();
  std::unique_ptr<Transport> greedy = *ConnectTransport(*Address::Parse(address()), kNoDeadline);
  auto send = [&](const FrameHeader& header, const google::protobuf::MessageLite& message) {
    std::string bytes = message.SerializeAsString();
    Reservation reservation;
    ASSERT_EQ(greedy->Reserve(header, bytes.size(), reservation), ReserveResult::kOk);
    bytes.copy(reservation.data, bytes.size());
    greedy->Commit(reservation);
    greedy->Flush(Deadline::min());
  };
  FrameHeader header;
  header.type = FrameType::kHello;
  header.method = kHelloMagic;
  send(header, internal::MakeHello(kMiB));
  header.type = FrameType::kRequest;
  header.flags = kFlagEnd;
  header.method = MethodId("ferry.test.Echo/Echo");
  EchoRequest request;
  request.set_grow(kReply);
  for (uint32_t i = 0; i < kRequests; ++i) {
    header.call = CallId::Make(0, i, 1);
    send(header, request);
  }
  size_t most = 0;
  for (int calls = bystander->calls(); bystander->calls() < calls + 300;) {
    most = std::max(most, Memory());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(most, before + 24 * kMiB) << "of " << kRequests * size_t{kReply} / kMiB << " MiB";
  size_t received = 0;
  for (Frame frame; received < kRequests * size_t{kReply};) {
    switch (greedy->TryRead(frame)) {
      case ReadResult::kFrame:
        received += frame.header.length;
        greedy->Release();
        break;
      case ReadResult::kEmpty:
        greedy->Wait({});
        break;
      case ReadResult::kClosed:
        FAIL() << greedy->close_reason();
    }
  }
  bystander.reset();
  Stop();
}

INSTANTIATE_TEST_SUITE_P(All, OverloadTest,
                         testing::Values("unix", "unix-abstract", "named-pipe", "shm"),
                         NameOfScheme);

}  // namespace
}  // namespace ferry::test
