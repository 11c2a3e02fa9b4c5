// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What is sent arrives: whole, in its order, whatever its size and whoever else sends.

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <future>
#include <random>
#include <thread>

#include "tests/transport/contract.h"

namespace ferry::test {
namespace {

class ContractOrder : public TransportContract {};

TEST_P(ContractOrder, DeliversInOrder) {
  Frames received(*b_);
  for (uint32_t i = 0; i < 50; ++i) Send(*a_, 2 * i, std::string(i * 7, 'a'));
  for (uint32_t i = 0; i < 50; ++i) {
    EXPECT_EQ(received.Next(), std::string(i * 7, 'a'));
    EXPECT_EQ(received.call(), 2 * i);
  }
}

TEST_P(ContractOrder, CarriesMessagesOfEverySize) {
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

TEST_P(ContractOrder, AbandonedMessagesAreNotSeen) {
  Reservation first = Reserve(2, "first");
  Reservation second = Reserve(4, "second");
  a_->Abandon(first);
  a_->Commit(second);
  a_->Flush(kNoDeadline);
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "second");
}

TEST_P(ContractOrder, TwoThreadsCommitOutOfOrder) {
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

TEST_P(ContractOrder, MessagesOfOneCallKeepTheirOrderBehindALargeOne) {
  std::thread sender([&] {
    Frames answers(*a_);
    SendMessage(*a_, 2, std::string(500000, 'l'));
    SendMessage(*a_, 2, "behind");
    EXPECT_EQ(answers.Next(), "thanks");
  });
  Frames received(*b_);
  EXPECT_EQ(received.Next().size(), 500000u);
  EXPECT_EQ(received.Next(), "behind");
  Send(*b_, 1, "thanks");
  sender.join();
}

TEST_P(ContractOrder, BothDirectionsFullAtOnceDrain) {
  auto exchange = [](Transport& transport, uint32_t call) {
    Frames received(transport);
    for (int i = 0; i < 40; ++i) SendMessage(transport, call, std::string(100000, 'x'));
    for (int i = 0; i < 40; ++i) EXPECT_EQ(received.Next().size(), 100000u);
    SendMessage(transport, call, "last");
    EXPECT_EQ(received.Next(), "last");
  };
  std::thread other([&] { exchange(*b_, 1); });
  exchange(*a_, 2);
  other.join();
}

TEST_P(ContractOrder, ManyThreadsSendMessagesOfManySizes) {
  constexpr int kThreads = 3, kMessages = 300;
  std::thread reader([&] {
    Frames received(*b_);
    for (int i = 0; i < kThreads * kMessages; ++i) {
      std::string message = received.Next();
      char fill = static_cast<char>('a' + received.call() / 2);
      ASSERT_EQ(message.find_first_not_of(fill), message.npos);
    }
    SendMessage(*b_, 1, "done");
  });
  std::vector<std::thread> senders;
  for (uint32_t t = 0; t < kThreads; ++t) {
    senders.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < kMessages; ++i) {
        size_t size = random() % 10 == 0 ? random() % 300000 : random() % 3000;
        SendMessage(*a_, 2 * t, std::string(size, static_cast<char>('a' + t)));
      }
    });
  }
  Frames received(*a_);
  EXPECT_EQ(received.Next(), "done");
  for (std::thread& sender : senders) sender.join();
  reader.join();
}

TEST_P(ContractOrder, CarriesSixtyFourMebibytes) {
  constexpr size_t kSize = 64 << 20;
  std::thread sender([&] {
    Frames answers(*a_);
    SendMessage(*a_, 2, std::string(kSize, 'x'));
    EXPECT_EQ(answers.Next(), "thanks");
  });
  Frames received(*b_);
  std::string message = received.Next();
  EXPECT_EQ(message.size(), kSize);
  EXPECT_EQ(message.find_first_not_of('x'), message.npos);
  Send(*b_, 1, "thanks");
  sender.join();
}

TEST_P(ContractOrder, ASmallMessageOvertakesALargeOne) {
  std::promise<void> committed;
  std::thread sender([&] {
    Frames answers(*a_);
    SendMessage(*a_, 2, std::string(5000000, 'l'));
    SendMessage(*a_, 4, "small");
    committed.set_value();
    EXPECT_EQ(answers.Next(), "thanks");
  });
  if (Has(TransportKind::kStream)) committed.get_future().wait();
  Frames received(*b_);
  std::string first = received.Next(), second = received.Next();
  EXPECT_TRUE(first == "small" || !Has(TransportKind::kStream)) << "it came last";
  EXPECT_EQ(first.size() + second.size(), 5000000 + strlen("small"));
  Send(*b_, 1, "thanks");
  sender.join();
}

TEST_P(ContractOrder, AbandonedLargeMessagesLeaveNoGap) {
  Send(*a_, 2, "before");
  Reservation large = Reserve(2, std::string(300000, 'l'));
  Reservation behind = Reserve(2, "behind");
  a_->Commit(behind);
  a_->Abandon(large);
  a_->Flush(kNoDeadline);
  Frames received(*b_);
  EXPECT_EQ(received.Next(), "before");
  EXPECT_EQ(received.Next(), "behind");
}

TEST_P(ContractOrder, ASlowReaderGetsEverything) {
  constexpr uint32_t kMessages = 100;
  std::thread sender([&] {
    Frames answers(*a_);
    for (uint32_t i = 0; i < kMessages; ++i) {
      SendMessage(*a_, 2, std::string(50000 + i, 'x'));
    }
    EXPECT_EQ(answers.Next(), "thanks");
  });
  Frames received(*b_);
  for (uint32_t i = 0; i < kMessages; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(received.Next().size(), 50000 + i);
  }
  Send(*b_, 1, "thanks");
  sender.join();
}

INSTANTIATE_CONTRACT(ContractOrder);

}  // namespace
}  // namespace ferry::test
