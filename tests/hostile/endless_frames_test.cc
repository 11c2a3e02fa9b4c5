// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A server that sends frame after frame, faster than they are read.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "tests/hostile/wire_peer.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

// There is always a frame: the hello, then answers to pings that nobody has sent, and now
// and then a reply to the one call. Thread contract: that of Transport.
class EndlessTransport final : public Transport {
 public:
  explicit EndlessTransport(bool replies) : replies_(replies) {
    wire::Hello hello;
    hello.set_min_version(1);
    hello.set_max_version(1);
    hello.set_max_frame(kMaxFrame);
    hello_ = hello.SerializeAsString();
  }

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override {
    if (header.type == FrameType::kRequest) call_ = header.call;
    sent_.resize(size);
    out = {sent_.data(), size, this};
    return ReserveResult::kOk;
  }
  void Commit(Reservation&) override {}
  void Abandon(Reservation&) override {}
  void Flush(Deadline) override {}
  size_t queued() const override { return 0; }

  ReadResult TryRead(Frame& frame) override {
    frame = {};
    if (reads_++ == 0) {
      frame.header = HeaderOf(FrameType::kHello);
      frame.header.method = kHelloMagic;
      frame.header.length = static_cast<uint32_t>(hello_.size());
      frame.payload = hello_.data();
    } else if (replies_ && call_.value != 0) {
      frame.header = HeaderOf(FrameType::kReply);
      frame.header.call = std::exchange(call_, {});
    } else {
      frame.header = HeaderOf(FrameType::kPing);
      frame.header.flags = kFlagAck;
    }
    return ReadResult::kFrame;
  }
  void Release() override {}
  bool Poll() override { return true; }
  void Wait(const WaitOptions&) override {}
  void Interrupt() override {}
  absl::Status Join(WaitSet&, uint64_t) override { return absl::OkStatus(); }
  bool Arm() override { return true; }
  void Close(const absl::Status& reason) override { close_reason_ = reason; }
  absl::Status close_reason() const override { return close_reason_; }
  const Peer& peer() const override { return peer_; }

 private:
  const bool replies_;
  const Peer peer_ = {"a flood"};
  std::string hello_;
  std::string sent_;
  uint64_t reads_ = 0;
  CallId call_;
  absl::Status close_reason_;
};

absl::Status CallOver(bool replies) {
  auto channel = internal::OpenChannel(std::make_unique<EndlessTransport>(replies), {},
                                       DeadlineAfter(absl::Seconds(20)));
  if (!channel.ok()) return channel.status();
  EchoReply reply;
  CallOptions options;
  options.timeout = replies ? absl::InfiniteDuration() : absl::Milliseconds(100);
  return EchoStub(*channel).Echo(EchoRequest(), &reply, options);
}

TEST(EndlessFramesTest, DoNotKeepACallFromItsTimeout) {
  absl::Status status = CallOver(false);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST(EndlessFramesTest, DoNotKeepACallFromItsReply) {
  absl::Status status = CallOver(true);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace ferry::test
