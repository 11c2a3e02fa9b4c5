// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Calls over pipes, with both ends in this process: what threads do to each other there.

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/internal/sole_lane.h"
#include "tests/rpc/echo_service.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

// A session that serves one end of two pipes, and a channel on the other.
class PipeServer {
 public:
  PipeServer() {
    EXPECT_TRUE(registry_.Add(service).ok());
    auto [client, server] = CreatePipePair();
    lane_ = internal::SoleLane::Create(
        pool_, supervisor_,
        std::make_shared<internal::Session>(std::move(server), kDefaultMaxMessage, registry_));
    thread_ = std::thread([this] {
      lane_->LeadFirst();
      pool_->WorkUntil([this] { return lane_->ended(); });
    });
    channel_ = internal::OpenChannel(std::move(client), ChannelOptions(), kNoDeadline);
    EXPECT_TRUE(channel_.ok()) << channel_.status();
  }
  ~PipeServer() {
    service.LetGo();
    channel_->Close();
    thread_.join();
    pool_->Stop();
  }

  EchoStub stub() { return EchoStub(*channel_); }
  void Close() { channel_->Close(); }

  EchoImpl service;

 private:
  internal::ServiceRegistry registry_;
  const std::shared_ptr<internal::WorkerPool> pool_ = std::make_shared<internal::WorkerPool>(8);
  internal::Supervisor supervisor_;
  std::shared_ptr<internal::SoleLane> lane_;
  std::thread thread_;
  absl::StatusOr<Channel> channel_;
};

// Calls until the first failure, and answers it. No call may succeed with a wrong reply.
absl::Status CallUntilFailure(EchoStub stub, unsigned seed, int calls) {
  std::mt19937 random(seed);
  for (int i = 0; i < calls; ++i) {
    EchoRequest request;
    size_t size = random() % 20 == 0 ? random() % 300000 : random() % 100;
    request.set_payload(std::string(size + 1, static_cast<char>('a' + seed % 26)));
    CallOptions options;
    if (random() % 2 == 0) options.timeout = absl::Minutes(1);
    EchoReply reply;
    absl::Status status = stub.Echo(request, &reply, options);
    if (!status.ok()) return status;
    if (reply.payload() != request.payload()) return absl::InternalError("another's reply");
  }
  return absl::OkStatus();
}

TEST(PipeCallTest, ManyThreadsShareAChannel) {
  PipeServer server;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&server, t] {
      absl::Status status = CallUntilFailure(server.stub(), t, 400);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(PipeCallTest, CloseEndsEveryCallWithItsReason) {
  for (int round = 0; round < 100; ++round) {
    PipeServer server;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&server, t] {
        absl::Status status = CallUntilFailure(server.stub(), t, 1000000);
        EXPECT_EQ(status.code(), StatusCode::kCancelled) << status;
      });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50 * round));
    server.Close();
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(PipeCallTest, TinyTimeoutsEndCallsAndHarmNoOther) {
  PipeServer server;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&server, t] {
      std::mt19937 random(t);
      EchoRequest request;
      request.set_payload(std::string(100000, 't'));
      for (int i = 0; i < 300; ++i) {
        CallOptions options;
        options.timeout = absl::Microseconds(random() % 300);
        absl::StatusOr<EchoReply> reply = server.stub().Echo(request, options);
        if (reply.ok()) {
          EXPECT_EQ(reply->payload().size(), 100000u);
        } else {
          EXPECT_EQ(reply.status().code(), StatusCode::kDeadlineExceeded) << reply.status();
        }
      }
    });
  }
  threads.emplace_back([&server] {
    absl::Status status = CallUntilFailure(server.stub(), 9, 300);
    EXPECT_TRUE(status.ok()) << status;
  });
  for (std::thread& thread : threads) thread.join();
}

// A peer that sends the first fragment of a reply and then nothing, while another
// thread reads.
TEST(PipeCallTest, TheDeadlineHoldsInTheMiddleOfAReply) {
  auto [client, peer] = CreatePipePair();
  std::thread server([peer = peer.get()] {
    Frame frame;
    auto send = [peer](FrameHeader header, const std::string& payload) {
      Reservation reservation;
      ASSERT_EQ(peer->Reserve(header, payload.size(), reservation), ReserveResult::kOk);
      std::memcpy(reservation.data, payload.data(), payload.size());
      peer->Commit(reservation);
      peer->Flush(kNoDeadline);
    };
    wire::Hello hello;
    hello.set_min_version(1);
    hello.set_max_version(1);
    hello.set_max_frame(kMaxFrame);
    FrameHeader header;
    header.type = FrameType::kHello;
    header.method = kHelloMagic;
    send(header, hello.SerializeAsString());
    for (;;) {
      ReadResult result = peer->TryRead(frame);
      if (result == ReadResult::kClosed) return;
      if (result == ReadResult::kEmpty) {
        peer->Wait({});
        continue;
      }
      FrameHeader request = frame.header;
      peer->Release();
      if (request.type != FrameType::kRequest) continue;
      FrameHeader reply;
      reply.type = FrameType::kReply;
      reply.call = request.call;
      reply.flags = kFlagMore;
      send(reply, std::string(1000, 'r'));
    }
  });
  absl::StatusOr<Channel> channel =
      internal::OpenChannel(std::move(client), ChannelOptions(), kNoDeadline);
  ASSERT_TRUE(channel.ok()) << channel.status();
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&channel, t] {
      CallOptions options;
      options.timeout = absl::Milliseconds(20 + 10 * t);
      absl::Status status = EchoStub(*channel).Echo(EchoRequest(), options).status();
      EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status;
    });
  }
  for (std::thread& caller : callers) caller.join();
  channel->Close();
  server.join();
}

}  // namespace
}  // namespace ferry::test
