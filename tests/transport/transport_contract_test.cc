// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What transport.h promises, for every transport. A new one adds one line to Kinds().

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "ferry/transport/inproc_transport.h"
#include "ferry/transport/wait_set.h"
#include "tests/transport/ring_sketch.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {
namespace {

using std::chrono::milliseconds;

std::vector<TransportKind> Kinds() {
  return {
      {"Inproc", [] { return CreateInprocPair("test"); }},
      {"Pipe", CreatePipePair},
      {"RingSketch", RingSketch::CreatePair, false},
  };
}

class TransportContract : public testing::TestWithParam<TransportKind> {
 protected:
  void SetUp() override { std::tie(a_, b_) = GetParam().create(); }

  void Send(Transport& from, uint32_t call, const std::string& message) {
    Frames unexpected(from);
    SendMessage(from, call, message, unexpected);
  }

  Reservation Reserve(uint32_t call, const std::string& message) {
    FrameHeader header;
    header.type = FrameType::kRequest;
    header.call.value = call;
    header.method = 1;
    Reservation reservation;
    EXPECT_EQ(a_->Reserve(header, message.size(), reservation), ReserveResult::kOk);
    std::memcpy(reservation.data, message.data(), message.size());
    return reservation;
  }

  std::unique_ptr<Transport> a_, b_;
};

TEST_P(TransportContract, DeliversInOrder) {
  Frames received(*b_);
  for (uint32_t i = 0; i < 50; ++i) Send(*a_, 2 * i, std::string(i * 7, 'a'));
  for (uint32_t i = 0; i < 50; ++i) {
    EXPECT_EQ(received.Next(), std::string(i * 7, 'a'));
    EXPECT_EQ(received.call(), 2 * i);
  }
}

TEST_P(TransportContract, CarriesMessagesOfEverySize) {
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{32}, size_t{33}, size_t{4071}, size_t{4072}, size_t{4073},
        kMaxFrame - 1, kMaxFrame, kMaxFrame + 1, 2 * kMaxFrame, size_t{1000000}, size_t{5000000}}) {
    std::string message(size, 'x');
    for (size_t i = 0; i < size; i += 97) message[i] = static_cast<char>(i);
    std::thread sender([&] {
      Send(*a_, 2, message);
      // A transport of plain memory has nobody else to move what did not fit.
      Frames answers(*a_);
      EXPECT_EQ(answers.Next(), "thanks");
    });
    Frames received(*b_);
    EXPECT_EQ(received.Next() == message, true) << size;
    Send(*b_, 1, "thanks");
    sender.join();
  }
}

TEST_P(TransportContract, AbandonedMessagesAreNotSeen) {
  Reservation first = Reserve(2, "first");
  Reservation second = Reserve(4, "second");
  a_->Abandon(first);
  a_->Commit(second);
  a_->Flush(kNoDeadline);
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "second");
}

TEST_P(TransportContract, TwoThreadsCommitOutOfOrder) {
  Reservation first = Reserve(2, "first");
  std::thread other([&] {
    Reservation second = Reserve(4, "second");
    a_->Commit(second);
  });
  other.join();
  a_->Commit(first);
  a_->Flush(kNoDeadline);
  Frames received(*b_);
  std::string one = received.Next();
  EXPECT_EQ(one.size() + received.Next().size(), strlen("first") + strlen("second"));
}

TEST_P(TransportContract, MessagesOfOneCallKeepTheirOrderBehindALargeOne) {
  std::thread sender([&] {
    Frames answers(*a_);
    SendMessage(*a_, 2, std::string(500000, 'l'), answers);
    SendMessage(*a_, 2, "behind", answers);
    EXPECT_EQ(answers.Next(), "thanks");
  });
  Frames received(*b_);
  EXPECT_EQ(received.Next().size(), 500000u);
  EXPECT_EQ(received.Next(), "behind");
  Send(*b_, 1, "thanks");
  sender.join();
}

TEST_P(TransportContract, BothDirectionsFullAtOnceDrain) {
  auto exchange = [](Transport& transport, uint32_t call) {
    Frames received(transport);
    for (int i = 0; i < 40; ++i) SendMessage(transport, call, std::string(100000, 'x'), received);
    for (int i = 0; i < 40; ++i) EXPECT_EQ(received.Next().size(), 100000u);
    SendMessage(transport, call, "last", received);
    EXPECT_EQ(received.Next(), "last");
  };
  std::thread other([&] { exchange(*b_, 1); });
  exchange(*a_, 2);
  other.join();
}

TEST_P(TransportContract, TheEndComesAfterWhatWasSent) {
  Send(*a_, 2, "one");
  Send(*a_, 4, "two");
  a_.reset();
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "one");
  EXPECT_EQ(received.Next(), "two");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(b_->close_reason().code(), absl::StatusCode::kUnavailable);
}

TEST_P(TransportContract, SendingToAClosedTransportDoesNothing) {
  Reservation reserved = Reserve(2, "never");
  b_.reset();
  Frames received(*a_);
  EXPECT_EQ(received.Next(), "(closed)");
  a_->Commit(reserved);
  a_->Flush(kNoDeadline);
  FrameHeader header;
  Reservation reservation;
  EXPECT_EQ(a_->Reserve(header, 1, reservation), ReserveResult::kClosed);
}

TEST_P(TransportContract, CloseWakesAReaderThatNothingElseMayInterrupt) {
  std::thread closer([&] {
    std::this_thread::sleep_for(milliseconds(20));
    b_->Close(absl::CancelledError("enough"));
  });
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "(closed)");
  closer.join();
  EXPECT_FALSE(b_->close_reason().ok());
}

TEST_P(TransportContract, InterruptEndsTheSleepThatIsOrTheNext) {
  std::thread interrupter([&] {
    std::this_thread::sleep_for(milliseconds(20));
    b_->Interrupt();
  });
  b_->Wait({});
  interrupter.join();
  b_->Interrupt();
  b_->Wait({});
  Frame frame;
  EXPECT_EQ(b_->TryRead(frame), ReadResult::kEmpty);
  if (!GetParam().joins_sets) return;
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(b_->Join(*set, 7).ok());
  b_->Interrupt();
  EXPECT_TRUE(b_->Arm());
  WaitOptions poll;
  poll.deadline = Deadline::min();
  b_->Wait(poll);
  EXPECT_FALSE(b_->Arm());
  b_.reset();
}

TEST_P(TransportContract, WhoSeesTheCloseSeesItsReason) {
  for (int i = 0; i < 200; ++i) {
    std::tie(a_, b_) = GetParam().create();
    std::thread closer([&] { b_->Close(absl::CancelledError("enough")); });
    Frame frame;
    while (b_->TryRead(frame) == ReadResult::kEmpty) {
    }
    EXPECT_FALSE(b_->close_reason().ok());
    closer.join();
  }
}

TEST_P(TransportContract, TheDeadlineEndsTheSleep) {
  WaitOptions wait;
  wait.interruptible = false;
  wait.deadline = DeadlineAfter(absl::Milliseconds(20));
  while (!HasPassed(wait.deadline)) b_->Wait(wait);
  Frame frame;
  EXPECT_EQ(b_->TryRead(frame), ReadResult::kEmpty);
}

TEST_P(TransportContract, APastDeadlineTakesInWhatIsThere) {
  Send(*a_, 2, "here");
  WaitOptions poll;
  poll.deadline = Deadline::min();
  b_->Wait(poll);
  Frame frame;
  ASSERT_EQ(b_->TryRead(frame), ReadResult::kFrame);
  EXPECT_EQ(std::string(frame.payload, frame.header.length), "here");
  b_->Release();
}

TEST_P(TransportContract, AWaitSetTellsAnotherEventLoop) {
  if (!GetParam().joins_sets) return;
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(b_->Join(*set, 7).ok());
  struct pollfd handle = {set->handle(), POLLIN, 0};
  WaitOptions look;
  look.deadline = Deadline::min();
  EXPECT_FALSE(b_->Arm());
  EXPECT_EQ(poll(&handle, 1, 0), 0);
  EXPECT_EQ(set->Next(Deadline::min()), std::nullopt);
  Send(*a_, 2, "x");
  EXPECT_EQ(poll(&handle, 1, 5000), 1);
  EXPECT_EQ(set->Next(Deadline::min()), 7u);
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "x");
  EXPECT_FALSE(b_->Arm());
  EXPECT_EQ(poll(&handle, 1, 0), 0);
  b_->Interrupt();
  EXPECT_EQ(poll(&handle, 1, 5000), 1);
  EXPECT_EQ(set->Next(Deadline::min()), 7u);
  b_->Wait(look);
  EXPECT_FALSE(b_->Arm());
  EXPECT_EQ(poll(&handle, 1, 0), 0);
  a_.reset();
  EXPECT_EQ(poll(&handle, 1, 5000), 1);
  EXPECT_EQ(set->Next(Deadline::min()), 7u);
  EXPECT_EQ(received.Next(), "(closed)");
  EXPECT_EQ(poll(&handle, 1, 0), 0) << "who has seen the end is told again";
  b_.reset();
}

TEST_P(TransportContract, ManyThreadsSendMessagesOfManySizes) {
  constexpr int kThreads = 3, kMessages = 300;
  std::thread reader([&] {
    Frames received(*b_);
    for (int i = 0; i < kThreads * kMessages; ++i) {
      std::string message = received.Next();
      char fill = static_cast<char>('a' + received.call() / 2);
      ASSERT_EQ(message.find_first_not_of(fill), message.npos);
    }
    Frames unexpected(*b_);
    SendMessage(*b_, 1, "done", unexpected);
  });
  if (!GetParam().joins_sets) {
    // The sketch has no thread of its own to wait for room on: one sender.
    Frames received(*a_);
    for (int i = 0; i < kThreads * kMessages; ++i) {
      SendMessage(*a_, 2, std::string(static_cast<size_t>(i) * 37, 'b'), received);
    }
    EXPECT_EQ(received.Next(), "done");
    reader.join();
    return;
  }
  std::vector<std::thread> senders;
  for (uint32_t t = 0; t < kThreads; ++t) {
    senders.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < kMessages; ++i) {
        size_t size = random() % 10 == 0 ? random() % 300000 : random() % 3000;
        Frames unexpected(*a_);
        SendMessage(*a_, 2 * t, std::string(size, static_cast<char>('a' + t)), unexpected);
      }
    });
  }
  Frames received(*a_);
  EXPECT_EQ(received.Next(), "done");
  for (std::thread& sender : senders) sender.join();
  reader.join();
}

INSTANTIATE_TEST_SUITE_P(All, TransportContract, testing::ValuesIn(Kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace ferry::test
