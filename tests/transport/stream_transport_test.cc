// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What StreamTransport does with its system calls; what every transport does is in the
// contract suite.

#include "ferry/transport/stream_transport.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "ferry/transport/internal/sys.h"
#include "tests/support/fault_injector.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {
namespace {

using Call = internal::sys::Call;

class StreamTransportTest : public testing::Test {
 protected:
  void SetUp() override { std::tie(a_, b_) = CreatePipePair(); }

  void Send(const std::string& message) { SendMessage(*a_, 2, message); }

  std::unique_ptr<Transport> a_, b_;
};

TEST_F(StreamTransportTest, ShortWritesAndReadsAreContinued) {
  for (size_t length : {size_t{1}, size_t{7}, size_t{23}, size_t{25}}) {
    auto shorten_writes = FaultInjector::Shorten(Call::kWrite, length);
    Send(std::string(3000, 'w'));
    Frames received(*b_);
    EXPECT_EQ(received.Next(), std::string(3000, 'w'));
  }
  for (size_t length : {size_t{1}, size_t{7}, size_t{23}, size_t{25}}) {
    Send(std::string(3000, 'r'));
    auto shorten_reads = FaultInjector::Shorten(Call::kRead, length);
    Frames received(*b_);
    EXPECT_EQ(received.Next(), std::string(3000, 'r'));
  }
}

// Makes the k-th call of a kind fail once, for k = 1, 2, … until the exchange passes
// without meeting the failure.
void FailEachCallOnce(Call call, int error) {
  for (int k = 1;; ++k) {
    auto [a, b] = CreatePipePair();
    auto fault = FaultInjector::Fail(call, k, error);
    Frames to_a(*a), to_b(*b);
    SendMessage(*a, 2, std::string(200000, 'x'));
    std::thread other([&, b = b.get()] {
      EXPECT_EQ(to_b.Next().size(), 200000u);
      SendMessage(*b, 1, "answer");
      EXPECT_EQ(to_b.Next(), "(closed)");  // and sends what the pipe did not take
    });
    EXPECT_EQ(to_a.Next(), "answer");
    a->Close(absl::CancelledError("enough"));
    other.join();
    if (!fault.fired()) return;
    ASSERT_LT(k, 1000);
  }
}

TEST_F(StreamTransportTest, EachPollMayFail) { FailEachCallOnce(Call::kPoll, ENOMEM); }
TEST_F(StreamTransportTest, NoDescriptorIsLeftForAnEvent) {
  FailEachCallOnce(Call::kEventFd, EMFILE);
}
TEST_F(StreamTransportTest, ReadsCannotBeWokenWithoutProc) {
  FailEachCallOnce(Call::kOpen, ENOENT);
}

// Behind a whole frame, the header of one that claims a byte too many.
void ExpectDataLoss(Transport& transport, int writer) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.method = 1;
  std::string bytes(2 * kFrameHeaderSize, '\0');
  EncodeFrameHeader(header, bytes.data());
  header.length = kMaxFrame + 1;
  EncodeFrameHeader(header, bytes.data() + kFrameHeaderSize);
  ASSERT_EQ(write(writer, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  Frames received(transport);
  EXPECT_EQ(received.Next(), "");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(transport.close_reason().code(), absl::StatusCode::kDataLoss);
}

TEST_F(StreamTransportTest, AnOversizedFrameIsDataLoss) {
  int ends[2], forth[2], back[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  internal::UniqueFd peer(ends[1]);
  ExpectDataLoss(*StreamTransport::OnSocket(internal::UniqueFd(ends[0]), {"peer"}, nullptr),
                 peer.get());
  ASSERT_EQ(internal::sys::Pipe(forth), 0);
  ASSERT_EQ(internal::sys::Pipe(back), 0);
  internal::UniqueFd writer(back[1]), reader(forth[0]);
  auto transport =
      StreamTransport::Create(internal::UniqueFd(back[0]), internal::UniqueFd(forth[1]),
                              internal::WriteEnd::Sharing::kOurs, {"peer"}, nullptr);
  ExpectDataLoss(**transport, writer.get());
}

TEST_F(StreamTransportTest, AFailedReadIsTheEnd) {
  auto fault = FaultInjector::Fail(Call::kRead, 1, EIO);
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamTransportTest, AFailedWriteIsTheEndOnceAllIsRead) {
  SendMessage(*b_, 1, "before");
  auto fault = FaultInjector::Fail(Call::kWrite, 1, EPIPE);
  Send("lost");
  Frames received(*a_);
  EXPECT_EQ(received.Next(), "before");
  EXPECT_EQ(received.Next(), "(closed)");
}

// Without a reading end of its own, which needs /proc, a writer sees that the peer has
// closed the one that it reads.
TEST_F(StreamTransportTest, APeerThatOnlyStopsReadingIsGoneForASleepingReader) {
  auto no_reading_end = FaultInjector::Fail(Call::kOpen, 1, ENOENT);
  // The peer closes the end that it reads, and keeps the one that it writes.
  int forth[2], back[2];
  ASSERT_EQ(internal::sys::Pipe(forth), 0);
  ASSERT_EQ(internal::sys::Pipe(back), 0);
  internal::UniqueFd kept(back[1]);
  auto transport =
      *StreamTransport::Create(internal::UniqueFd(back[0]), internal::UniqueFd(forth[1]),
                               internal::WriteEnd::Sharing::kOurs, {"peer", -1}, nullptr);
  internal::UniqueFd(forth[0]).Reset();
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    SendMessage(*transport, 2, "lost");
  });
  Frames received(*transport);
  EXPECT_EQ(received.Next(), "(closed)");
  writer.join();
}

TEST_F(StreamTransportTest, WritingToADeadPeerRaisesNoSignal) {
  struct sigaction before;
  sigaction(SIGPIPE, nullptr, &before);
  ASSERT_EQ(before.sa_handler, SIG_DFL) << "the test needs the signal to be deadly";
  b_.reset();
  Send("lost");
  Send("lost");
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(StreamTransportTest, WritingToADeadPeerRaisesNoSignalWithoutProc) {
  auto no_reading_end = FaultInjector::Fail(Call::kOpen, 1, ENOENT);
  std::tie(a_, b_) = CreatePipePair();
  b_.reset();
  Send("lost");
  Send("lost");
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(StreamTransportTest, WritingToADeadPeerRaisesNoSignalOnOlderKernelsEither) {
  {
    auto no_reading_end = FaultInjector::Fail(Call::kOpen, 1, ENOENT);
    std::tie(a_, b_) = CreatePipePair();
  }
  b_.reset();
  auto fault = FaultInjector::Fail(Call::kNoSignalWrite, 1, EOPNOTSUPP);
  Send("lost");
  sigset_t pending, mask;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGPIPE), 0);
}

TEST_F(StreamTransportTest, AThreadMayWriteALotWhileAnotherSleepsInRead) {
  std::thread reader([&] {
    Frames received(*a_);
    EXPECT_EQ(received.Next(), "answer");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::thread writer([&] { Send(std::string(3000000, 'x')); });
  Frames received(*b_);
  EXPECT_EQ(received.Next().size(), 3000000u);
  writer.join();
  SendMessage(*b_, 1, "answer");
  reader.join();
}

TEST_F(StreamTransportTest, CloseEndsAThreadThatWaitsForRoomBesideAReader) {
  std::thread reader([&] {
    Frames received(*a_);
    EXPECT_EQ(received.Next(), "(closed)");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::thread writer([&] { Send(std::string(3000000, 'x')); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  a_->Close(absl::CancelledError("enough"));
  reader.join();
  writer.join();
  EXPECT_EQ(a_->close_reason(), absl::CancelledError("enough"));
}

TEST_F(StreamTransportTest, TheDeadlineOfAFlushHoldsWhileNobodyReads) {
  std::thread reader([&] {
    Frames received(*a_);
    EXPECT_EQ(received.Next(), "(closed)");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.method = 1;
  Reservation reservation;
  ASSERT_EQ(a_->Reserve(header, 3000000, reservation), ReserveResult::kOk);
  std::memset(reservation.data, 'x', reservation.size);
  a_->Commit(reservation);
  a_->Flush(DeadlineAfter(absl::Milliseconds(20)));
  a_->Close(absl::CancelledError("enough"));
  reader.join();
}

}  // namespace
}  // namespace ferry::test
