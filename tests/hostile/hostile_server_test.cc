// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A channel and a server that attacks it: each call ends with a status, and in time.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "tests/hostile/mutator.h"
#include "tests/hostile/victim.h"
#include "tests/hostile/wire_peer.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using internal::RingSlot;
using internal::UniqueFd;

constexpr absl::Duration kPatience = absl::Seconds(10);

class HostileServerTest : public testing::Test {
 protected:
  void SetUp() override {
    ExpectHonestConnectionToWork();
    before_ = Holdings::Now();
  }
  void TearDown() override {
    channel_.reset();
    Stop();
    unlink(path_.c_str());
    ExpectHonestConnectionToWork();
    EXPECT_EQ(Holdings::Now(), before_);
  }

  // Does that for whoever connects, again and again until it is stopped.
  void Serve(const std::function<void(RawPeer&)>& once) {
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<struct sockaddr*>(&name), sizeof(name)), 0);
    ASSERT_EQ(listen(listener.get(), 5), 0);
    attacking_ = std::thread([this, once, listening = std::move(listener)] {
      int accepted = -1;
      while (!stop_ && accepted < 0) {
        struct pollfd arrived = {listening.get(), POLLIN, 0};
        if (poll(&arrived, 1, 10) > 0) accepted = accept(listening.get(), nullptr, nullptr);
      }
      if (stop_) return;
      RawPeer attacker(accepted);
      EXPECT_TRUE(attacker.TakeGreeting());
      while (!stop_) once(attacker);
    });
  }
  void Stop() {
    stop_ = true;
    if (attacking_.joinable()) attacking_.join();
  }

  // One that has been greeted.
  void ServeGreeted(const std::function<void(RawPeer&)>& once) {
    Serve([greeted = false, once](RawPeer& attacker) mutable {
      if (!greeted) {
        attacker.Greet();
        PutHello(attacker);
        attacker.SendBytes("", 1);
        greeted = true;
      }
      once(attacker);
    });
    connected_ = Connect();
  }

  absl::Status Connect(absl::Duration handshake_timeout = kPatience) {
    ChannelOptions options;
    options.handshake_timeout = handshake_timeout;
    absl::StatusOr<Channel> channel = ferry::Connect("shm:" + path_, options);
    if (channel.ok()) channel_.emplace(*std::move(channel));
    return channel.status();
  }

  absl::Status Call(absl::Duration timeout = absl::Milliseconds(200)) {
    if (!channel_.has_value()) return connected_;
    EchoRequest request;
    request.set_payload(std::string(200, 'c'));
    EchoReply reply;
    CallOptions options;
    options.timeout = timeout;
    absl::Time begin = absl::Now();
    absl::Status status = EchoStub(*channel_).Echo(request, &reply, options);
    EXPECT_LT(absl::Now() - begin, timeout + kPatience);
    return status;
  }

  static void Pause() { absl::SleepFor(absl::Milliseconds(1)); }

  TempFolder folder_;
  const std::string path_ = folder_ / "server";
  std::atomic<bool> stop_{false};
  std::thread attacking_;
  absl::Status connected_;
  std::optional<Channel> channel_;
  Holdings before_;
};

TEST_F(HostileServerTest, SilenceIsWaitedForNoLongerThanSaid) {
  Serve([](RawPeer&) { Pause(); });
  absl::Status status = Connect(absl::Milliseconds(200));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST_F(HostileServerTest, AGreetingWithoutHelloIsWaitedForNoLongerThanSaid) {
  Serve([greeted = false](RawPeer& attacker) mutable {
    if (!greeted) attacker.Greet();
    greeted = true;
    attacker.SendBytes("", 1);
    Pause();
  });
  absl::Status status = Connect(absl::Milliseconds(200));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST_F(HostileServerTest, ABrokenGreetingIsSaid) {
  Serve([greeted = false](RawPeer& attacker) mutable {
    if (!greeted) attacker.Greet(attacker.honest(), {});
    greeted = true;
    Pause();
  });
  absl::Status status = Connect();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(HostileServerTest, ACallThatIsNeverAnsweredEndsInTime) {
  ServeGreeted([](RawPeer&) { Pause(); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(Call()));
}

TEST_F(HostileServerTest, ACallEndsInTimeUnderAFloodOfFrames) {
  ServeGreeted([](RawPeer& attacker) {
    FrameHeader skipped = HeaderOf(static_cast<FrameType>(kFirstSkippableType));
    if (attacker.HasRoom(0)) attacker.Put(skipped, "");
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(Call()));
}

TEST_F(HostileServerTest, ACallEndsInTimeUnderAFloodOfAbandonedSlots) {
  ServeGreeted([](RawPeer& attacker) {
    if (attacker.HasRoom(0)) attacker.Put({}, "", RingSlot::kAbandoned);
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(Call()));
}

TEST_F(HostileServerTest, ACallEndsInTimeUnderAFloodOfRings) {
  ServeGreeted([](RawPeer& attacker) { attacker.SendBytes("\0\0\0\0", 4); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(Call()));
}

TEST_F(HostileServerTest, AReplyThatIsNoMessageFailsTheCall) {
  ServeGreeted([](RawPeer& attacker) {
    FrameHeader header;
    std::string payload;
    if (!attacker.TakeFrame(header, payload) || header.type != FrameType::kRequest) return;
    FrameHeader reply = HeaderOf(FrameType::kReply);
    reply.call = header.call;
    PutInTurn(attacker, reply, std::string(100, '\xff'));
  });
  EXPECT_EQ(Call(kPatience).code(), absl::StatusCode::kInternal);
}

TEST_F(HostileServerTest, AReplyOfWhichTheRestNeverComesEndsInTime) {
  ServeGreeted([](RawPeer& attacker) {
    FrameHeader header;
    std::string payload;
    if (!attacker.TakeFrame(header, payload) || header.type != FrameType::kRequest) return;
    FrameHeader reply = HeaderOf(FrameType::kReply);
    reply.call = header.call;
    reply.flags = kFlagMore;
    PutInTurn(attacker, reply, std::string(100, 'x'));
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(Call()));
}

TEST_F(HostileServerTest, AReplyToACallThatNobodyMadeIsTheEnd) {
  ServeGreeted([](RawPeer& attacker) {
    FrameHeader reply = HeaderOf(FrameType::kReply);
    reply.call = CallId::Make(0, 77, 5);
    if (attacker.HasRoom(0)) attacker.Put(reply, "");
    attacker.SendBytes("", 1);
    Pause();
  });
  absl::Status status = Call(kPatience);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(HostileServerTest, WhateverItWritesCallsEnd) {
  Random random(HostileSeed());
  for (int round = 0; round < 20; ++round) {
    stop_ = false;
    ServeGreeted([&random](RawPeer& attacker) {
      Mutator mutator(attacker, random);
      for (int i = 0; i < 20; ++i) mutator.Mutate();
      attacker.SendBytes("", 1);
      Pause();
    });
    for (int i = 0; i < 3; ++i) Call(absl::Milliseconds(20)).IgnoreError();
    Stop();
    channel_.reset();
    unlink(path_.c_str());
  }
}

}  // namespace
}  // namespace ferry::test
