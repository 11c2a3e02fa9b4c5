// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Channels whose children die and are started again.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "tests/rpc/deeds_service.h"
#include "tests/rpc/event_log.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

class RestartTest : public testing::TestWithParam<const char*> {
 protected:
  Channel Open(Restart restart, size_t limit = 5) {
    ChannelOptions options;
    options.restart = restart;
    options.restart_limit = limit;
    options.max_backoff = absl::ZeroDuration();
    options.on_event = log_.sink();
    absl::StatusOr<Channel> channel =
        Connect(DeedsAddress() + "&stderr=capture&transport=" + GetParam(), options);
    EXPECT_TRUE(channel.ok()) << channel.status();
    return *std::move(channel);
  }

  static absl::Status Die(const Channel& channel, const char* last_words = "") {
    Text words;
    words.set_text(last_words);
    DeedsStub(channel).Complain(words).status().IgnoreError();
    Number signal;
    signal.set_value(SIGKILL);
    return DeedsStub(channel).Raise(signal).status();
  }

  static absl::Status Exit(const Channel& channel) {
    return DeedsStub(channel).ExitWithCode(Number()).status();
  }

  static absl::Status Look(const Channel& channel) {
    return DeedsStub(channel).Look(Nothing()).status();
  }

  EventLog log_;
};

TEST_P(RestartTest, AChildThatFailedIsStartedAgainForTheNextCall) {
  Channel channel = Open(Restart::kOnFailure);
  int64_t first = channel.peer().pid;
  EXPECT_EQ(Die(channel).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Look(channel).ok()) << Look(channel);
  EXPECT_NE(channel.peer().pid, first);
}

TEST_P(RestartTest, ItsLastWordsAreInTheEvent) {
  Channel channel = Open(Restart::kOnFailure);
  Die(channel, "out of luck").IgnoreError();
  EXPECT_EQ(log_.types().back(), Event::Type::kClosed);
  EXPECT_TRUE(absl::StrContains(log_.last_text(), "was killed by signal 9")) << log_.last_text();
  EXPECT_TRUE(absl::StrContains(log_.last_text(), "out of luck")) << log_.last_text();
}

TEST_P(RestartTest, AChildThatSucceededIsNotAFailure) {
  Channel channel = Open(Restart::kOnFailure);
  EXPECT_EQ(Exit(channel).code(), absl::StatusCode::kUnavailable);
  absl::Status gone = Look(channel);
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(gone.message(), "exited with code 0")) << gone;
}

TEST_P(RestartTest, AlwaysMeansThatOneToo) {
  Channel channel = Open(Restart::kAlways);
  Exit(channel).IgnoreError();
  EXPECT_TRUE(Look(channel).ok()) << Look(channel);
}

TEST_P(RestartTest, UsuallyNoChildIsStartedAgain) {
  Channel channel = Open(Restart::kNever);
  Die(channel).IgnoreError();
  EXPECT_EQ(Look(channel).code(), absl::StatusCode::kUnavailable);
}

TEST_P(RestartTest, AfterTooManyDeathsItStaysDead) {
  Channel channel = Open(Restart::kOnFailure, 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Look(channel).ok()) << Look(channel);
    Die(channel).IgnoreError();
  }
  for (int i = 0; i < 2; ++i) {
    absl::Status dead = Look(channel);
    EXPECT_EQ(dead.code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(absl::StrContains(dead.message(), "started again 2 times within 1m")) << dead;
  }
  EXPECT_TRUE(absl::StrContains(log_.last_text(), "(for good)")) << log_.last_text();
}

TEST_P(RestartTest, AtOnceStartsItWithoutACall) {
  ChannelOptions options;
  options.restart = Restart::kOnFailure;
  options.reconnect = Reconnect::kAtOnce;
  options.on_event = log_.sink();
  absl::StatusOr<Channel> channel = Connect(DeedsAddress() + "&transport=" + GetParam(), options);
  ASSERT_TRUE(channel.ok()) << channel.status();
  const auto pid = static_cast<pid_t>(channel->peer().pid);
  ASSERT_GT(pid, 0) << "kill(2) would take it for many";
  kill(pid, SIGKILL);
  log_.Await(Event::Type::kConnected, 2);
  EXPECT_TRUE(Look(*channel).ok()) << Look(*channel);
}

TEST_P(RestartTest, CallsInAHurrySpendNoRestarts) {
  Channel channel = Open(Restart::kOnFailure, 2);
  Die(channel).IgnoreError();
  CallOptions options;
  options.timeout = absl::Microseconds(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(DeedsStub(channel).Look(Nothing(), options).ok());
  }
  EXPECT_TRUE(Look(channel).ok()) << Look(channel);
}

TEST_P(RestartTest, AtOnceStartsAnotherInPlaceOfOneThatHangs) {
  ChannelOptions options;
  options.restart = Restart::kOnFailure;
  options.reconnect = Reconnect::kAtOnce;
  options.keepalive = absl::Milliseconds(50);
  options.on_event = log_.sink();
  absl::StatusOr<Channel> channel =
      Connect(DeedsAddress() + "&grace=20ms&transport=" + GetParam(), options);
  ASSERT_TRUE(channel.ok()) << channel.status();
  ASSERT_GT(channel->peer().pid, 1);
  kill(static_cast<pid_t>(channel->peer().pid), SIGSTOP);
  EXPECT_FALSE(Look(*channel).ok());
  log_.Await(Event::Type::kConnected, 2);
}

INSTANTIATE_TEST_SUITE_P(Transports, RestartTest, testing::Values("pipe", "unix", "shm"));

}  // namespace
}  // namespace ferry::test
