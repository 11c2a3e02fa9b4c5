// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// How a reader sleeps, on its own or in a set, and what wakes it.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "ferry/transport/wait_set.h"
#include "tests/transport/contract.h"

namespace ferry::test {
namespace {

using std::chrono::milliseconds;

class ContractWait : public TransportContract {};

TEST_P(ContractWait, InterruptEndsTheSleepThatIsOrTheNext) {
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

TEST_P(ContractWait, TheDeadlineEndsTheSleep) {
  WaitOptions wait;
  wait.interruptible = false;
  wait.deadline = DeadlineAfter(absl::Milliseconds(20));
  while (!HasPassed(wait.deadline)) b_->Wait(wait);
  Frame frame;
  EXPECT_EQ(b_->TryRead(frame), ReadResult::kEmpty);
}

TEST_P(ContractWait, APastDeadlineTakesInWhatIsThere) {
  Send(*a_, 2, "here");
  WaitOptions poll;
  poll.deadline = Deadline::min();
  b_->Wait(poll);
  Frame frame;
  ASSERT_EQ(b_->TryRead(frame), ReadResult::kFrame);
  EXPECT_EQ(std::string(frame.payload, frame.header.length), "here");
  b_->Release();
}

TEST_P(ContractWait, AWaitSetTellsAnotherEventLoop) {
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(b_->Join(*set, 7).ok());
  struct pollfd handle = {set->handle(), POLLIN, 0};
  WaitOptions look;
  look.deadline = Deadline::min();
  b_->Wait(look);
  EXPECT_FALSE(b_->Arm());
  EXPECT_EQ(poll(&handle, 1, 0), 0);
  EXPECT_EQ(set->Next(Deadline::min()), std::nullopt);
  Send(*a_, 2, "x");
  EXPECT_EQ(poll(&handle, 1, 5000), 1);
  EXPECT_EQ(set->Next(Deadline::min()), 7u);
  b_->Wait(look);
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

// Waits as the contract of Join asks for, until `done`.
void RunLoop(Transport& transport, WaitSet& set, const std::function<bool()>& done) {
  WaitOptions look;
  look.deadline = Deadline::min();
  while (!done()) {
    if (!transport.Arm()) set.Next(kNoDeadline);
    transport.Wait(look);
  }
}

TEST_P(ContractWait, SomebodyElsesEpollSleepsOnManyTransports) {
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  internal::UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  struct epoll_event event = {};
  event.events = EPOLLIN;
  ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, set->handle(), &event), 0);
  ASSERT_TRUE(a_->Join(*set, 1).ok());
  ASSERT_TRUE(b_->Join(*set, 2).ok());
  WaitOptions look;
  look.deadline = Deadline::min();
  for (uint64_t receiver : {2u, 1u, 1u, 2u}) {
    Transport& from = receiver == 2 ? *a_ : *b_;
    Transport& to = receiver == 2 ? *b_ : *a_;
    a_->Wait(look);
    b_->Wait(look);
    EXPECT_FALSE(a_->Arm());
    EXPECT_FALSE(b_->Arm());
    EXPECT_EQ(epoll_wait(epoll.get(), &event, 1, 0), 0);
    std::thread sender([&] { Send(from, static_cast<uint32_t>(receiver), "x"); });
    EXPECT_EQ(epoll_wait(epoll.get(), &event, 1, 5000), 1);
    EXPECT_EQ(set->Next(Deadline::min()), receiver);
    sender.join();
    Frames received(to);
    EXPECT_EQ(received.Next(), "x");
    to.Wait(look);
    while (set->Next(Deadline::min()) != std::nullopt) {
    }
  }
  a_ = nullptr;
  b_ = nullptr;
}

TEST_P(ContractWait, ASetWakesForRoom) {
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(a_->Join(*set, 1).ok());
  Send(*a_, 2, std::string(5000000, 'x'));
  std::atomic<bool> received_all{false};
  std::thread reader([&] {
    Frames received(*b_);
    EXPECT_EQ(received.Next().size(), 5000000u);
    received_all = true;
    a_->Interrupt();
  });
  RunLoop(*a_, *set, [&] { return received_all.load(); });
  reader.join();
  a_ = nullptr;
}

TEST_P(ContractWait, AnInterruptionEndsTheSleepInASet) {
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(b_->Join(*set, 1).ok());
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    for (int i = 0; i < 1000; ++i) b_->Interrupt();
    done = true;
    b_->Interrupt();
  });
  RunLoop(*b_, *set, [&] { return done.load(); });
  interrupter.join();
  b_ = nullptr;
}

TEST_P(ContractWait, ACloseEndsTheSleepInASet) {
  std::unique_ptr<WaitSet> set = *WaitSet::Create();
  ASSERT_TRUE(b_->Join(*set, 1).ok());
  std::thread closer([&] { b_->Close(absl::CancelledError("enough")); });
  Frame frame;
  RunLoop(*b_, *set, [&] { return b_->TryRead(frame) == ReadResult::kClosed; });
  closer.join();
  b_ = nullptr;
}

TEST_P(ContractWait, NoWakeIsLostBetweenSleepsOfEveryLength) {
  // Who only sends has still to learn, once, where its peer tells what it has read.
  WaitOptions look;
  look.deadline = Deadline::min();
  a_->Wait(look);
  for (uint32_t i = 0; i < 300; ++i) {
    std::thread sender([&, i] { Send(*a_, 2 * i, "x"); });
    Frame frame;
    while (b_->TryRead(frame) == ReadResult::kEmpty) {
      WaitOptions wait;
      wait.interruptible = i % 2 == 0;
      if (i % 5 == 0) wait.deadline = DeadlineAfter(absl::Seconds(60));
      b_->Wait(wait);
    }
    b_->Release();
    sender.join();
  }
}

INSTANTIATE_CONTRACT(ContractWait);

}  // namespace
}  // namespace ferry::test
