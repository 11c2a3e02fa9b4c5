// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A server that has nothing to do does nothing.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ferry/transport/endpoint.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

class IdleTest : public testing::TestWithParam<const char*> {
 protected:
  std::string address() const { return absl::StrCat(GetParam(), ":", folder_ / "idle"); }

  // How often each thread has gone to sleep, and for how long it has run; without those
  // that were there before the test, such as this one, and a sanitizer's, which ticks.
  std::map<std::string, std::vector<std::string>> Activity() {
    std::map<std::string, std::vector<std::string>> activity;
    for (const std::string& thread : Threads()) {
      if (before_.count(thread) != 0) continue;
      std::string sleeps;
      std::ifstream status("/proc/self/task/" + thread + "/status");
      for (std::string word; status >> word;) {
        if (word == "voluntary_ctxt_switches:") status >> sleeps;
      }
      std::string line;
      std::getline(std::ifstream("/proc/self/task/" + thread + "/stat"), line);
      std::vector<std::string> fields =
          absl::StrSplit(line.substr(std::min(line.find(')'), line.size())), ' ');
      if (fields.size() > 13) activity[thread] = {sleeps, fields[12], fields[13]};
    }
    return activity;
  }

  // Whether some time passes in which none of them runs. A thread that ticks every 2 ms
  // lets none of these pass, on a machine however busy.
  bool BecomesIdle() {
    for (int i = 0; i < 20; ++i) {
      auto before = Activity();
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      if (Activity() == before) return true;
    }
    return false;
  }

 private:
  static std::set<std::string> Threads() {
    std::thread([] {}).join();  // with the first one, a sanitizer starts its own
    std::set<std::string> threads;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      threads.insert(task.path().filename());
    }
    return threads;
  }

  TempFolder folder_;
  const std::set<std::string> before_ = Threads();
};

TEST_P(IdleTest, NothingRunsWhenNobodyCalls) {
  EchoServer server(address());
  std::vector<Channel> channels;
  for (int i = 0; i < 10; ++i) channels.push_back(server.Connect());
  for (const Channel& channel : channels) EXPECT_TRUE(EchoStub(channel).Echo(EchoRequest()).ok());
  EXPECT_GE(Activity().size(), 2u) << "expected a leader and a supervisor";
  EXPECT_TRUE(BecomesIdle());
  EXPECT_TRUE(EchoStub(channels[0]).Echo(EchoRequest()).ok());
  EXPECT_TRUE(BecomesIdle());
}

TEST_P(IdleTest, NothingRunsWhileHandlersAreBlocked) {
  EchoServer server(address());
  Channel channel = server.Connect();
  std::vector<std::thread> held;
  for (int i = 0; i < 3; ++i) {
    held.emplace_back([&] { EXPECT_TRUE(EchoStub(channel).Hold(Empty()).ok()); });
  }
  server.service.AwaitBlocked(3);
  EXPECT_TRUE(BecomesIdle());
  // From its sleep the supervisor wakes for the next one that blocks.
  held.emplace_back([&] { EXPECT_TRUE(EchoStub(channel).Hold(Empty()).ok()); });
  server.service.AwaitBlocked(4);
  EXPECT_TRUE(EchoStub(channel).Release(Empty()).ok());
  for (std::thread& thread : held) thread.join();
}

TEST_P(IdleTest, NothingRunsOnceABlockedHandlersClientHasGone) {
  EchoServer server(address());
  EchoStub other(server.Connect());
  {
    Channel channel = server.Connect();
    std::thread held([&] { EXPECT_FALSE(EchoStub(channel).Hold(Empty()).ok()); });
    server.service.AwaitBlocked(1);
    channel.Close();
    held.join();
  }
  EXPECT_TRUE(other.Echo(EchoRequest()).ok());
  EXPECT_TRUE(BecomesIdle());
}

TEST_P(IdleTest, NothingRunsWhileAClientMayStillSayHello) {
  EchoServer server(address());
  EchoStub stub(server.Connect());
  std::unique_ptr<Transport> silent = *ConnectTransport(*Address::Parse(address()), kNoDeadline);
  EXPECT_TRUE(stub.Echo(EchoRequest()).ok());
  EXPECT_TRUE(BecomesIdle());
}

INSTANTIATE_TEST_SUITE_P(All, IdleTest, testing::Values("inproc", "unix", "named-pipe", "shm"),
                         NameOfScheme);

}  // namespace
}  // namespace ferry::test
