// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A process that is killed, and what the process at the other end sees of it.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/transport/contract_peer.h"

namespace ferry::test {
namespace {

// More than any kind needs.
constexpr int kMaxCalls = 1000;

class ContractKill : public testing::TestWithParam<TransportKind> {
 protected:
  void SetUp() override {
    struct sigaction pipe_signal;
    sigaction(SIGPIPE, nullptr, &pipe_signal);
    ASSERT_EQ(pipe_signal.sa_handler, SIG_DFL) << "the tests need it to be deadly";
  }

  // With a peer that says when it has come to `step`, and is then killed.
  static void Survives(Step step, Transport& transport, const std::function<std::string()>& read,
                       const std::function<void()>& kill) {
    BeforeTheEnd(transport, step);
    std::string wrong;
    std::thread reader;
    if (ReadsMeanwhile(step)) reader = std::thread([&] { wrong = AfterTheEnd(transport, step); });
    EXPECT_EQ(read(), "there");
    kill();
    if (reader.joinable()) {
      reader.join();
    } else {
      wrong = AfterTheEnd(transport, step);
    }
    EXPECT_EQ(wrong, "");
  }

  void KillAt(Role role, Step step) {
    if (role == Role::kIsChild) return KillChildAt(step);
    if (role == Role::kIsParent) return KillParentAt(step);
    Meeting meeting(GetParam());
    auto own = role == Role::kConnects ? ListenAt(meeting.address()) : nullptr;
    ASSERT_TRUE(own.ok()) << own.status();
    BodyProcess peer(kDies, GetsTo(role, step, meeting.address()));
    if (role == Role::kServes) {
      ASSERT_EQ(peer.ReadLine(), "listening");
    }
    auto transport = role == Role::kConnects ? AcceptOne(**own, [] { return false; })
                                             : ConnectTo(meeting.address());
    ASSERT_TRUE(transport.ok()) << transport.status();
    Survives(
        step, **transport, [&] { return peer.ReadLine(); }, [&] { peer.Kill(); });
    transport->reset();
    if (role == Role::kServes) {
      ASSERT_TRUE(ListenAt(meeting.address()).ok());
    }
  }

  void KillChildAt(Step step) {
    Lines lines;
    std::vector<std::string> variables = GetsTo(Role::kIsChild, step, "");
    variables.push_back(lines.variable());
    auto transport = ConnectTo(ChildAt(kDies, GetParam().child_link, variables));
    ASSERT_TRUE(transport.ok()) << transport.status();
    pid_t child = static_cast<pid_t>((*transport)->peer().pid);
    Survives(
        step, **transport, [&] { return lines.Read(); }, [&] { kill(child, SIGKILL); });
    EXPECT_NE((*transport)->close_reason().message().find("SIGKILL"), std::string::npos)
        << (*transport)->close_reason();
  }

  void KillParentAt(Step step) {
    Lines lines;
    std::string child = ChildAt(kSurvivesParent, GetParam().child_link,
                                {lines.variable(), absl::StrCat("STEP=", static_cast<int>(step))});
    BodyProcess parent(kDies, GetsTo(Role::kIsParent, step, child));
    ASSERT_EQ(lines.Read(), "here");
    ASSERT_EQ(parent.ReadLine(), "there");
    parent.Kill();
    EXPECT_EQ(lines.Read(), "ok");
    EXPECT_EQ(lines.Read(), "");
  }

  // Each answers whether the peer was killed, and not done before.
  bool KillClientByCall(int k, const std::string& address, Listener& listener) {
    BodyProcess peer(kDies, IsKilledByCall(Role::kConnects, k, address));
    std::atomic<bool> ended{false};
    int exit_code = 0;
    std::thread waiter([&] {
      exit_code = peer.Wait();
      ended = true;
    });
    auto transport = AcceptOne(listener, [&] { return ended.load(); });
    if (transport.ok()) SurvivesCalls(**transport);
    waiter.join();
    EXPECT_TRUE(exit_code == 0 || exit_code == -SIGKILL) << exit_code;
    EXPECT_TRUE(exit_code != 0 || transport.ok()) << transport.status();
    return exit_code != 0;
  }

  bool KillServerByCall(int k, const std::string& address) {
    BodyProcess peer(kDies, IsKilledByCall(Role::kServes, k, address));
    std::string line = peer.ReadLine();
    EXPECT_TRUE(line == "listening" || line == "") << line;
    auto transport = ConnectTo(address);
    if (transport.ok()) {
      SurvivesCalls(**transport);
    } else {
      EXPECT_EQ(transport.status().code(), absl::StatusCode::kUnavailable) << transport.status();
    }
    int exit_code = peer.Wait();
    EXPECT_TRUE(exit_code == 0 || exit_code == -SIGKILL) << exit_code;
    return exit_code != 0;
  }

  bool KillChildByCall(int k) {
    Lines lines;
    std::vector<std::string> variables = IsKilledByCall(Role::kIsChild, k, "");
    variables.push_back(lines.variable());
    auto transport = ConnectTo(ChildAt(kDies, GetParam().child_link, variables));
    EXPECT_TRUE(transport.ok()) << transport.status();
    EXPECT_EQ(lines.Read(), "here");
    SurvivesCalls(**transport);
    return lines.Read() != "done";
  }

  static void SurvivesCalls(Transport& transport) {
    Frames frames(transport);
    SendMessage(transport, 1, "question");
    SendMessage(transport, 1, "answer");
    EXPECT_EQ(SeesTheEnd(transport, {}, {"small", LargeMessage()}), "");
  }
};

TEST_P(ContractKill, APeerMayDieAtAnyStep) {
  for (Role role : RolesOf(GetParam())) {
    for (Step step : kSteps) {
      SCOPED_TRACE(absl::StrCat("who ", NameOf(role), " dies when ", NameOf(step)));
      size_t descriptors = CountDescriptors();
      KillAt(role, step);
      EXPECT_EQ(CountDescriptors(), descriptors);
      if (HasFailure()) return;
    }
  }
}

TEST_P(ContractKill, APeerMayDieAtAnySystemCall) {
  for (Role role : RolesOf(GetParam())) {
    if (role == Role::kIsParent) continue;
    Meeting meeting(GetParam());
    auto listener = role == Role::kConnects ? ListenAt(meeting.address()) : nullptr;
    ASSERT_TRUE(listener.ok()) << listener.status();
    bool killed = true;
    for (int k = 1; killed; ++k) {
      ASSERT_LT(k, kMaxCalls);
      SCOPED_TRACE(absl::StrCat("who ", NameOf(role), " is killed by its call ", k));
      size_t descriptors = CountDescriptors();
      killed = role == Role::kConnects ? KillClientByCall(k, meeting.address(), **listener)
               : role == Role::kServes ? KillServerByCall(k, meeting.address())
                                       : KillChildByCall(k);
      EXPECT_EQ(CountDescriptors(), descriptors);
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_CONTRACT(ContractKill);

}  // namespace
}  // namespace ferry::test
