// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A server and a client that attacks it. Others are served meanwhile, and afterwards.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/hostile/mutator.h"
#include "tests/hostile/victim.h"
#include "tests/hostile/wire_peer.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using internal::RingSlot;

constexpr uint64_t kEcho = MethodId("ferry.test.Echo/Echo");
constexpr absl::Duration kAttackFor = absl::Milliseconds(150);
// Of a call of somebody else. The machine may be slow, but not that slow.
constexpr absl::Duration kPatience = absl::Seconds(5);

class HostileClientTest : public testing::Test {
 protected:
  static ServerOptions Options() {
    ServerOptions options;
    options.handshake_timeout = absl::Milliseconds(300);
    options.max_message = 1 << 20;
    return options;
  }

  void SetUp() override {
    server_.emplace("shm:" + path_, Options());
    honest_.emplace(server_->Connect());
    ExpectServed(absl::Milliseconds(20));  // it has slept, and what it keeps is no leak
    before_ = Holdings::Now();
  }
  void TearDown() override {
    attacker_ = nullptr;
    ExpectServed();
    EchoReply reply;
    EXPECT_TRUE(EchoStub(server_->Connect()).Echo(EchoRequest(), &reply).ok());
    // Who has gone is noticed soon, but not at once.
    for (int i = 0; i < 500 && !(Holdings::Now() == before_); ++i) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    EXPECT_EQ(Holdings::Now(), before_);
    honest_.reset();
    server_.reset();
  }

  // Somebody else's call.
  void ExpectServed(absl::Duration takes = absl::ZeroDuration()) {
    EchoRequest request;
    request.set_take_us(static_cast<uint32_t>(absl::ToInt64Microseconds(takes)));
    request.set_payload(std::string(1000, 'h'));
    EchoReply reply;
    CallOptions options;
    options.timeout = kPatience;
    absl::Status served = EchoStub(*honest_).Echo(request, &reply, options);
    EXPECT_TRUE(served.ok()) << served;
    EXPECT_EQ(reply.payload(), request.payload());
  }

  RawPeer& Connect() {
    attacker_ = std::make_unique<RawPeer>(ConnectRaw(path_));
    EXPECT_TRUE(attacker_->TakeGreeting());
    return *attacker_;
  }
  RawPeer& ConnectAndGreet() {
    Connect().Greet();
    PutHello(*attacker_);
    attacker_->SendBytes("", 1);
    return *attacker_;
  }

  // Does so again and again, while others call.
  void Attack(const std::function<void()>& once) {
    std::atomic<bool> stop{false};
    std::thread attacking([&] {
      while (!stop) once();
    });
    int calls = 0;
    for (absl::Time end = absl::Now() + kAttackFor; absl::Now() < end && !HasFailure(); ++calls) {
      ExpectServed();
    }
    stop = true;
    attacking.join();
    EXPECT_GE(calls, 1);
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "server";
  std::optional<EchoServer> server_;
  std::optional<Channel> honest_;
  std::unique_ptr<RawPeer> attacker_;
  Holdings before_;
};

TEST_F(HostileClientTest, SilenceIsCutOff) {
  RawPeer& attacker = Connect();
  EXPECT_TRUE(attacker.SeesTheEnd(kPatience));
}

TEST_F(HostileClientTest, AGreetingWithoutHelloIsCutOff) {
  RawPeer& attacker = Connect();
  attacker.Greet();
  EXPECT_TRUE(attacker.SeesTheEnd(kPatience));
}

TEST_F(HostileClientTest, ManyWhoConnectAndSayNothingAreCutOff) {
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(std::make_unique<RawPeer>(ConnectRaw(path_)));
  ExpectServed();
  for (const auto& peer : silent) EXPECT_TRUE(peer->SeesTheEnd(kPatience));
}

TEST_F(HostileClientTest, AFloodOfRingsStallsNobody) {
  RawPeer& attacker = ConnectAndGreet();
  const std::string rings(4096, '\0');
  Attack([&] { attacker.SendBytes(rings.data(), rings.size()); });
}

TEST_F(HostileClientTest, AFloodOfAbandonedSlotsStallsNobody) {
  RawPeer& attacker = ConnectAndGreet();
  // In their turn, and then in nobody's.
  Attack([&] {
    for (int i = 0; i < 100; ++i) {
      if (attacker.HasRoom(0)) attacker.Put({}, "", RingSlot::kAbandoned);
    }
    attacker.SendBytes("", 1);
  });
  Attack([&] { attacker.Put({}, "", RingSlot::kAbandoned); });
}

TEST_F(HostileClientTest, AFloodOfFramesStallsNobody) {
  RawPeer& attacker = ConnectAndGreet();
  FrameHeader skipped = HeaderOf(static_cast<FrameType>(kFirstSkippableType));
  Attack([&] {
    for (int i = 0; i < 100; ++i) {
      if (attacker.HasRoom(4096)) attacker.Put(skipped, std::string(4096, 's'));
    }
    attacker.SendBytes("", 1);
  });
}

TEST_F(HostileClientTest, GarbageForAMessageIsRefused) {
  RawPeer& attacker = ConnectAndGreet();
  Random random(HostileSeed());
  FrameHeader header;
  std::string payload;
  uint32_t calls = 0, replies = 0, refused = 0;
  Attack([&] {
    std::string garbage(Below(random, 2000), '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    EchoRequest by_chance;  // could make the handler sleep for hours
    if (by_chance.ParseFromString(garbage) && by_chance.take_us() != 0) return;
    EXPECT_TRUE(PutInTurn(attacker, RequestOf(kEcho, calls++), garbage));
    while (attacker.TakeFrame(header, payload)) {
      replies += header.type == FrameType::kReply;
      refused += header.aux == static_cast<uint16_t>(absl::StatusCode::kInvalidArgument);
    }
  });
  for (absl::Time end = absl::Now() + kPatience; replies < calls && absl::Now() < end;) {
    if (attacker.TakeFrame(header, payload)) {
      replies += header.type == FrameType::kReply;
    }
  }
  EXPECT_EQ(replies, calls);
  EXPECT_GT(refused, 0u);
}

TEST_F(HostileClientTest, RequestsOfWhichTheRestNeverComesStallNobody) {
  RawPeer& attacker = ConnectAndGreet();
  uint32_t calls = 0;
  Attack([&] {
    FrameHeader request = RequestOf(kEcho, calls++);
    request.flags |= kFlagMore;
    if (calls < kMaxCalls) {
      EXPECT_TRUE(PutInTurn(attacker, request, std::string(4000, 'x')));
    }
  });
}

TEST_F(HostileClientTest, FragmentsThatContradictEachOtherAreTheEnd) {
  RawPeer& attacker = ConnectAndGreet();
  FrameHeader request = RequestOf(kEcho, 0);
  request.flags |= kFlagMore;
  PutInTurn(attacker, request, "abc");
  for (uint32_t total : {100u, 200u}) {
    FrameHeader next = HeaderOf(FrameType::kContinue);
    next.call = request.call;
    next.flags = kFlagMore;
    next.arg = total;
    PutInTurn(attacker, next, "x");
  }
  EXPECT_TRUE(attacker.SeesTheEnd(kPatience));
}

TEST_F(HostileClientTest, RepliesToCallsThatNobodyMadeAreTheEnd) {
  RawPeer& attacker = ConnectAndGreet();
  FrameHeader reply = HeaderOf(FrameType::kReply);
  reply.call = CallId::Make(1, 5, 1);
  PutInTurn(attacker, reply, "");
  EXPECT_TRUE(attacker.SeesTheEnd(kPatience));
}

TEST_F(HostileClientTest, OneThatNeverReadsItsRepliesStallsNobody) {
  RawPeer& attacker = ConnectAndGreet();
  EchoRequest request;
  request.set_payload(std::string(3000, 'x'));
  const std::string payload = request.SerializeAsString();
  uint32_t calls = 0;
  Attack([&] {
    if (calls < 3000) {
      EXPECT_TRUE(PutInTurn(attacker, RequestOf(kEcho, calls++), payload));
    }
  });
}

TEST_F(HostileClientTest, WhateverItWritesOthersAreServed) {
  Random random(HostileSeed());
  Attack([&] {
    RawPeer attacker(ConnectRaw(path_));
    if (!attacker.TakeGreeting()) return;
    attacker.Greet();
    PutHello(attacker);
    Mutator mutator(attacker, random);
    char bytes[64];
    for (int i = 0; i < 300; ++i) {
      mutator.Mutate();
      attacker.SendBytes("", 1);
      if (recv(attacker.socket(), bytes, sizeof(bytes), MSG_DONTWAIT) == 0) break;
      if (i % 16 == 0) std::this_thread::yield();
    }
  });
}

TEST_F(HostileClientTest, WhateverItGreetsWithOthersAreServed) {
  Random random(HostileSeed());
  RawMemory unsealed(internal::RingGeometry::For(kSmallRing).size(), 0);
  Attack([&] {
    RawPeer attacker(ConnectRaw(path_));
    RawGreeting greeting = attacker.honest();
    reinterpret_cast<char*>(&greeting)[Below(random, sizeof(greeting))] ^=
        static_cast<char>(1 << Below(random, 8));
    std::vector<int> fds(Below(random, 40),
                         Below(random, 2) == 0 ? unsealed.fd() : attacker.memory().fd());
    attacker.SendBytes(&greeting, 1 + Below(random, sizeof(greeting)), fds);
    char byte;
    if (Below(random, 4) == 0) recv(attacker.socket(), &byte, 1, 0);
  });
}

}  // namespace
}  // namespace ferry::test
