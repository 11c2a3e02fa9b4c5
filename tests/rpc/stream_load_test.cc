// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Streams under load, over each transport: who does not read holds up nobody but himself, and
// costs no more memory than he was promised.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/rpc/stress_peer.h"
#include "tests/rpc/stress_watch.h"
#include "tests/support/resident_memory.h"

namespace ferry::test {
namespace {

using Conversation = ClientReaderWriter<Piece, Piece>;

constexpr size_t kMiB = 1024 * 1024;
constexpr uint32_t kLarge = 64 * 1024;

class StreamLoadTest : public testing::TestWithParam<Way> {
 protected:
  StreamLoadTest() { watchdog_.of(0).Begin("the test"); }

  void Start(size_t max_threads = 64) {
    stub_.reset();
    peer_.reset();
    peer_ = std::make_unique<StressPeer>(GetParam(), max_threads);
    stub_.emplace(peer_->channels().front());
  }
  ~StreamLoadTest() override {
    if (peer_ != nullptr) peer_->AwaitIdle();
    stub_.reset();
  }

  // On the channel of the streams.
  void CallOften(int calls) {
    Piece request;
    request.mutable_deed()->set_size(100);
    for (int i = 0; i < calls; ++i) {
      absl::StatusOr<Piece> reply = stub_->One(request);
      ASSERT_TRUE(reply.ok()) << reply.status();
    }
  }

  size_t Memory() {
    size_t theirs = GetParam().is_here() ? 0 : peer_->UsageNow().memory;
    return theirs + ResidentMemory(getpid());
  }

  Watchdog watchdog_{1, testing::UnitTest::GetInstance()->current_test_info()->name()};
  std::unique_ptr<StressPeer> peer_;
  std::optional<StressStub> stub_;
};

// Its writer writes until it is told to stop, or waits because nobody reads.
class Flood {
 public:
  Flood(const StressStub& stub, const Deed& deed)
      : stream_(stub.Up(&reply_)), thread_([this, deed] {
          Piece piece = MakePiece(0, kLarge);
          *piece.mutable_deed() = deed;
          while (written_ < most_ && stream_.Write(piece)) {
            piece = MakePiece(static_cast<uint32_t>(++written_), kLarge);
          }
        }) {}
  ~Flood() { thread_.join(); }

  void AwaitWritten(int count) const {
    while (written_ < count) std::this_thread::yield();
  }
  void Cancel() { stream_.Cancel(); }
  void StopAt(int count) { most_ = count; }
  int written() const { return written_; }

 private:
  Piece reply_;
  ClientWriter<Piece> stream_;
  std::atomic<int> written_{0};
  std::atomic<int> most_{1 << 30};
  std::thread thread_;
};

TEST_P(StreamLoadTest, AClientThatDoesNotReadStallsNoOtherCall) {
  Start();
  Piece request;
  request.mutable_deed()->set_writes(1000000);
  request.mutable_deed()->set_size(kLarge);
  std::vector<ClientReader<Piece>> unread;
  for (int i = 0; i < 3; ++i) unread.push_back(stub_->Down(request));
  CallOften(1000);
  Piece piece;
  EXPECT_TRUE(unread[0].Read(&piece));
}

TEST_P(StreamLoadTest, AHandlerThatDoesNotReadStallsNoOtherCall) {
  Start();
  Deed deed;
  deed.set_reads(1);
  deed.set_awaits_cancel(true);
  deed.set_has_callback(true);
  Flood one(*stub_, deed), other(*stub_, deed);
  one.AwaitWritten(4);
  CallOften(1000);
  EXPECT_LT(one.written(), 8);
  one.Cancel();
  other.Cancel();
}

TEST_P(StreamLoadTest, ASlowClientCostsNoMoreThanTheStreamsCredit) {
  Start();
  CallOften(100);
  const size_t before = Memory();
  Piece request;
  request.mutable_deed()->set_writes(3200);
  request.mutable_deed()->set_size(kLarge);
  ClientReader<Piece> stream = stub_->Down(request);
  CallOften(500);
  size_t most = Memory();
  uint32_t read = 0;
  for (Piece piece; stream.Read(&piece); ++read) {
    if (read % 100 == 0) most = std::max(most, Memory());
  }
  EXPECT_EQ(read, 3200u);
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_LT(most, before + 8 * kMiB) << "of 200 MiB";
}

TEST_P(StreamLoadTest, ASlowHandlerCostsNoMoreThanTheStreamsCredit) {
  Start();
  CallOften(100);
  const size_t before = Memory();
  Deed deed;
  deed.set_awaits_release(true);
  Flood flood(*stub_, deed);
  flood.AwaitWritten(4);
  CallOften(500);
  size_t most = Memory();
  ASSERT_TRUE(stub_->Release(Piece()).ok());
  for (int written = 100; written <= 3200; written += 100) {
    flood.AwaitWritten(written);
    most = std::max(most, Memory());
  }
  flood.StopAt(3200);
  flood.Cancel();
  EXPECT_LT(most, before + 8 * kMiB) << "of 200 MiB";
}

class Streams {
 public:
  Streams(const StressStub& stub, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      streams_.push_back({stub.Both(), 0});
      Write(i);
    }
  }

  void Write(size_t i) { EXPECT_TRUE(streams_[i].stream.Write(MakePiece(streams_[i].next, 100))); }
  void Read(size_t i) {
    Piece piece;
    ASSERT_TRUE(streams_[i].stream.Read(&piece));
    EXPECT_EQ(ProblemOf(piece, streams_[i].next++), "");
  }
  void Finish(size_t i) {
    absl::Status status = streams_[i].stream.Finish();
    EXPECT_TRUE(status.ok()) << status;
  }

 private:
  struct Stream {
    Conversation stream;
    uint32_t next;
  };
  std::vector<Stream> streams_;
};

// The first `running` of the rest at a time.
void TalkToAll(const StressStub& stub, size_t count, size_t running) {
  Streams streams(stub, count);
  for (size_t begin = 0; begin < count; begin += running) {
    const size_t end = std::min(begin + running, count);
    for (int round = 0; round < 5; ++round) {
      for (size_t i = end; i-- > begin;) streams.Read(i);
      for (size_t i = begin; i < end; ++i) streams.Write(i);
    }
    for (size_t i = begin; i < end; ++i) streams.Finish(i);
  }
}

TEST_P(StreamLoadTest, MessagesReachTheHandlersThatRunAndOthersFollow) {
  for (size_t threads : {size_t{1}, size_t{2}, size_t{64}}) {
    Start(threads);
    TalkToAll(*stub_, 200, threads);
  }
}

// As many as leave one thread.
TEST_P(StreamLoadTest, HandlersThatBlockLeaveStreamsOneThreadToReadWith) {
  for (size_t threads : {size_t{2}, size_t{5}}) {
    Start(threads);
    Piece blocks;
    blocks.mutable_deed()->set_awaits_release(true);
    std::vector<std::thread> blocked;
    auto stream = std::make_unique<Streams>(*stub_, 1);
    for (int i = 0; i < 50; ++i) {
      if (blocked.size() + 1 < threads) {
        blocked.emplace_back([&, i] {
          EXPECT_TRUE((i % 2 == 0 ? stub_->One(blocks) : stub_->OneBlocking(blocks)).ok());
        });
      }
      stream->Read(0);
      stream->Write(0);
    }
    stream->Finish(0);
    ASSERT_TRUE(stub_->Release(Piece()).ok());
    for (std::thread& thread : blocked) thread.join();
  }
}

// Hands every message on to another server, and waits there for the answer.
class Forwarding final : public StressService {
 public:
  explicit Forwarding(const StressStub& to) : to_(to) {}

 private:
  absl::Status Both(ServerContext&, ServerReaderWriter<Piece, Piece>& stream) override {
    Conversation onward = to_.Both();
    for (Piece piece; stream.Read(&piece);) {
      if (!onward.Write(piece) || !onward.Read(&piece) || !stream.Write(piece)) break;
    }
    return onward.Finish();
  }

  const StressStub to_;
};

TEST_P(StreamLoadTest, AHandlerOfTheOnlyThreadWaitsForAStreamOfItsOwn) {
  Start(1);
  Forwarding service(*stub_);
  ServerOptions options;
  options.max_threads = 1;
  Server server(options);
  server.Register(service);
  ASSERT_TRUE(server.Listen("inproc:forwarding").ok());
  std::thread serving([&] { EXPECT_TRUE(server.Serve().ok()); });
  TalkToAll(StressStub(*Connect("inproc:forwarding")), 20, 1);
  server.Shutdown();
  serving.join();
}

TEST_P(StreamLoadTest, AStoppedServerDoesNotHoldACancelledWriter) {
  if (GetParam().is_here()) GTEST_SKIP() << "the server is this process";
  Start();
  ASSERT_GT(peer_->pid(), 1) << "kill(2) would take it for many";
  Deed deed;
  deed.set_pause_us(100);
  {
    Flood flood(*stub_, deed);
    flood.AwaitWritten(1);
    ASSERT_EQ(kill(peer_->pid(), SIGSTOP), 0);
    CallOptions options;
    options.timeout = absl::Milliseconds(100);
    EXPECT_FALSE(stub_->One(Piece(), options).ok());
    flood.Cancel();
  }
  EXPECT_EQ(kill(peer_->pid(), SIGCONT), 0);
}

INSTANTIATE_TEST_SUITE_P(All, StreamLoadTest, testing::ValuesIn(kWays),
                         [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace ferry::test
