// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A server that has no descriptor left for who connects.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/body_process.h"
#include "tests/support/child_body.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

int64_t Microseconds(const timeval& time) { return time.tv_sec * 1000000 + time.tv_usec; }

// Serves Echo at $AT with few descriptors. Answers each line "cpu" with the microseconds
// that it has run; another line ends it.
CHILD_BODY(ServesWithFewDescriptors) {
  EchoImpl service;
  Server server;
  server.Register(service);
  absl::Status listens = server.Listen(Variable("AT"));
  int next = dup(0);
  close(next);
  struct rlimit limit = {static_cast<rlim_t>(next + 10), static_cast<rlim_t>(next + 10)};
  setrlimit(RLIMIT_NOFILE, &limit);
  SayLine(listens.ok() ? "ready" : listens.ToString());
  std::thread controller([&] {
    while (HearLine() == "cpu") {
      struct rusage usage;
      getrusage(RUSAGE_SELF, &usage);
      SayLine(std::to_string(Microseconds(usage.ru_utime) + Microseconds(usage.ru_stime)));
    }
    server.Shutdown();
  });
  absl::Status served = server.Serve();
  controller.join();
  return served.ok() ? 0 : 1;
}

class DescriptorShortageTest : public testing::TestWithParam<const char*> {
 protected:
  int64_t CpuTime() {
    server_.WriteLine("cpu");
    return std::stoll(server_.ReadLine());
  }

  TempFolder folder_;
  const std::string address_ = absl::StrCat(GetParam(), ":", folder_ / "server");
  BodyProcess server_{"ServesWithFewDescriptors", {"AT=" + address_}};
};

TEST_P(DescriptorShortageTest, WhoConnectsWaitsForADescriptor) {
  ASSERT_EQ(server_.ReadLine(), "ready");
  ChannelOptions options;
  options.handshake_timeout = absl::Seconds(1);
  std::vector<Channel> channels;
  absl::StatusOr<Channel> channel = Connect(address_, options);
  for (; channel.ok(); channel = Connect(address_, options)) channels.push_back(*channel);
  ASSERT_EQ(channel.status().code(), absl::StatusCode::kDeadlineExceeded) << channel.status();
  ASSERT_GE(channels.size(), 2u);

  std::vector<std::thread> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.emplace_back([&] {
      ChannelOptions patient;
      patient.handshake_timeout = absl::Minutes(2);
      absl::StatusOr<Channel> late = Connect(address_, patient);
      ASSERT_TRUE(late.ok()) << late.status();
      EXPECT_TRUE(EchoStub(*late).Echo(EchoRequest()).ok());
    });
  }
  int64_t before = CpuTime();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_LT(CpuTime() - before, 50000) << "the server does not sleep while it waits";
  for (const Channel& there : channels) EXPECT_TRUE(EchoStub(there).Echo(EchoRequest()).ok());

  channels.pop_back();
  for (std::thread& client : waiting) client.join();
  channels.clear();
  EXPECT_TRUE(Connect(address_).ok());
  server_.WriteLine("stop");
  EXPECT_EQ(server_.Wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, DescriptorShortageTest,
                         testing::Values("unix", "unix-abstract", "named-pipe", "shm"),
                         NameOfScheme);

}  // namespace
}  // namespace ferry::test
