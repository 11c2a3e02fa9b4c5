// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The end of a process, told by the watch and seen by a transport whose pipe another
// process holds.

#include "ferry/transport/internal/process_watch.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <string>
#include <thread>

#include "ferry/transport/internal/sys.h"
#include "ferry/transport/peer_process.h"
#include "ferry/transport/stream_transport.h"
#include "tests/support/fault_injector.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {
namespace {

using internal::ProcessWatch;
using internal::UniqueFd;
namespace sys = internal::sys;

// A child that does nothing until it is killed.
class Sleeper {
 public:
  Sleeper() : pid_(fork()) {
    if (pid_ == 0) {
      for (;;) pause();
    }
    pid_fd_ = UniqueFd(sys::PidFdOpen(pid_));
  }
  ~Sleeper() {
    Kill();
    waitpid(pid_, nullptr, 0);
  }
  void Kill() { kill(pid_, SIGKILL); }
  int pid_fd() const { return pid_fd_.get(); }

 private:
  const pid_t pid_;
  UniqueFd pid_fd_;
};

TEST(ProcessWatchTest, TellsOnceThatAProcessHasEnded) {
  Sleeper one, other;
  std::promise<void> ended;
  auto watch = ProcessWatch::Start(one.pid_fd(), absl::ZeroDuration(), [&] { ended.set_value(); });
  ASSERT_TRUE(watch.ok()) << watch.status();
  auto second = ProcessWatch::Start(other.pid_fd(), absl::ZeroDuration(), [] { FAIL(); });
  ASSERT_TRUE(second.ok()) << second.status();
  one.Kill();
  ended.get_future().wait();
}

TEST(ProcessWatchTest, TellsOfAProcessThatHasEndedBefore) {
  Sleeper one;
  one.Kill();
  struct pollfd gone = {one.pid_fd(), POLLIN, 0};
  while (sys::Poll(&gone, 1, kNoDeadline) != 1) {
  }
  std::promise<void> first, second;
  auto watch = ProcessWatch::Start(one.pid_fd(), absl::ZeroDuration(), [&] { first.set_value(); });
  UniqueFd other(dup(one.pid_fd()));
  auto again = ProcessWatch::Start(other.get(), absl::ZeroDuration(), [&] { second.set_value(); });
  ASSERT_TRUE(watch.ok() && again.ok());
  first.get_future().wait();
  second.get_future().wait();
}

TEST(ProcessWatchTest, ADelayedWatchThatIsGoneTellsNothing) {
  Sleeper one;
  std::promise<void> ended;
  UniqueFd again(dup(one.pid_fd()));
  auto gone = ProcessWatch::Start(one.pid_fd(), absl::Milliseconds(50), [] { FAIL(); });
  auto later =
      ProcessWatch::Start(again.get(), absl::Milliseconds(100), [&] { ended.set_value(); });
  ASSERT_TRUE(gone.ok() && later.ok());
  one.Kill();
  *gone = nullptr;
  ended.get_future().wait();
}

TEST(ProcessWatchTest, ADestructorWaitsForTheCallback) {
  Sleeper one;
  std::promise<void> began;
  std::atomic<bool> finished{false};
  auto watch = ProcessWatch::Start(one.pid_fd(), absl::ZeroDuration(), [&] {
    began.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    finished = true;
  });
  ASSERT_TRUE(watch.ok()) << watch.status();
  one.Kill();
  began.get_future().wait();
  *watch = nullptr;
  EXPECT_TRUE(finished);
}

TEST(ProcessWatchTest, SaysWhenTheSystemHasNothingLeft) {
  Sleeper one;
  for (auto call : {sys::Call::kEpoll, sys::Call::kEventFd}) {
    FaultInjector fault = FaultInjector::Fail(call, 1, EMFILE);
    auto watch = ProcessWatch::Start(one.pid_fd(), absl::ZeroDuration(), [] {});
    EXPECT_EQ(watch.status().code(), absl::StatusCode::kResourceExhausted) << watch.status();
  }
}

class Ended final : public PeerProcess {
 public:
  explicit Ended(pid_t pid) : pid_fd_(sys::PidFdOpen(pid)) {}
  int pid_fd() const override { return pid_fd_.get(); }
  absl::Status ExplainEnd(Deadline deadline) override {
    asked_until_ = deadline;
    return absl::UnavailableError("it has ended");
  }
  Deadline asked_until() const { return asked_until_; }

 private:
  const UniqueFd pid_fd_;
  Deadline asked_until_ = kNoDeadline;
};

// A transport to a process that sends `bytes`, is killed while the reader sleeps, and
// leaves behind a process that holds its pipe.
class HeldPipeTest : public testing::Test {
 protected:
  enum class Holder { kYes, kNo };
  void Start(const std::string& bytes, Holder has_holder = Holder::kYes) {
    int forth[2], back[2], held[2];
    ASSERT_EQ(pipe2(forth, 0), 0);
    ASSERT_EQ(pipe2(back, 0), 0);
    ASSERT_EQ(pipe2(held, 0), 0);
    pid_ = fork();
    if (pid_ == 0) {
      pid_t holder = has_holder == Holder::kYes
                         ? static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
                         : getpid();
      if (holder == 0) {
        for (;;) pause();
      }
      bool written = write(back[1], bytes.data(), bytes.size()) >= 0 &&
                     write(held[1], &holder, sizeof(holder)) == sizeof(holder);
      while (written) pause();
      _exit(1);
    }
    ASSERT_EQ(read(held[0], &holder_, sizeof(holder_)), static_cast<ssize_t>(sizeof(holder_)));
    for (int fd : {forth[0], back[1], held[0], held[1]}) close(fd);
    auto transport = StreamTransport::Create(UniqueFd(back[0]), UniqueFd(forth[1]),
                                             internal::WriteEnd::Sharing::kOurs, {"it", pid_},
                                             ended_ = std::make_shared<Ended>(pid_));
    ASSERT_TRUE(transport.ok()) << transport.status();
    transport_ = *std::move(transport);
  }
  void TearDown() override {
    transport_ = nullptr;
    kill(holder_, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  void Kill() { kill(pid_, SIGKILL); }

  // Kills the process soon: most likely while the reader sleeps.
  std::thread KillSoon() {
    return std::thread([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      kill(pid_, SIGKILL);
    });
  }

  // All that arrives until the end.
  std::string Received() {
    std::thread killer = KillSoon();
    Frames frames(*transport_);
    std::string all;
    for (std::string one; (one = frames.Next()) != "(closed)";) all += one + ";";
    killer.join();
    return all;
  }

  // Reads in somebody's event loop until the end.
  void Loop() {
    std::thread killer = KillSoon();
    Frames frames(*transport_);
    WaitOptions now;
    now.deadline = Deadline::min();
    std::unique_ptr<WaitSet> set = *WaitSet::Create();
    ASSERT_TRUE(transport_->Join(*set, 1).ok());
    while (frames.Drain()) {
      if (!transport_->Arm()) set->Next(kNoDeadline);
      transport_->Wait(now);
    }
    EXPECT_EQ(frames.Next(), "one");
    EXPECT_EQ(transport_->close_reason().message(), "it has ended");
    killer.join();
    transport_.reset();
  }

  std::unique_ptr<StreamTransport> transport_;
  std::shared_ptr<Ended> ended_;

 private:
  pid_t pid_ = -1;
  pid_t holder_ = -1;
};

std::string FrameOf(const std::string& payload) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.flags = kFlagEnd;
  header.method = 1;
  header.call.value = 1 << 17;
  header.length = static_cast<uint32_t>(payload.size());
  std::string bytes(kFrameHeaderSize, '\0');
  EncodeFrameHeader(header, bytes.data());
  return bytes + payload;
}

TEST_F(HeldPipeTest, WhatWasSentArrivesAndThenTheEnd) {
  Start(FrameOf("one") + FrameOf("two"));
  EXPECT_EQ(Received(), "one;two;");
  EXPECT_EQ(transport_->close_reason().message(), "it has ended");
}

TEST_F(HeldPipeTest, AFrameThatLacksAByteIsNotCompletedByTheWake) {
  std::string bytes = FrameOf("one") + FrameOf(std::string("tw\0", 3));
  bytes.pop_back();
  Start(bytes);
  EXPECT_EQ(Received(), "one;");
  EXPECT_EQ(transport_->close_reason().message(), "it has ended");
}

TEST_F(HeldPipeTest, TheEndIsExplainedWithinTheDeadlineOfTheWait) {
  Start("", Holder::kNo);
  Kill();
  WaitOptions wait;
  wait.deadline = DeadlineAfter(absl::Seconds(60));
  Frame frame;
  while (transport_->TryRead(frame) != ReadResult::kClosed) transport_->Wait(wait);
  EXPECT_EQ(ended_->asked_until(), wait.deadline);
}

// The wake and the end of the pipe come together, on a thread that was interrupted before.
TEST_F(HeldPipeTest, AnOldInterruptionIsNoReasonToReadOn) {
  for (int i = 0; i < 10; ++i) {
    Start(FrameOf("one"), Holder::kNo);
    errno = EINTR;
    EXPECT_EQ(Received(), "one;");
    TearDown();
  }
}

TEST_F(HeldPipeTest, NothingIsLostWhenThePipeIsFull) {
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes += FrameOf(std::string(4096 - kFrameHeaderSize, 'x'));
  Start(bytes);
  Kill();
  Frames frames(*transport_);
  int count = 0;
  while (frames.Next() != "(closed)") ++count;
  EXPECT_EQ(count, 16);
}

TEST_F(HeldPipeTest, WithoutAWatchAnEventLoopSeesTheEnd) {
  FaultInjector no_epoll = FaultInjector::Fail(sys::Call::kEpoll, 1, EMFILE);
  Start(FrameOf("one"));
  Loop();
}

TEST_F(HeldPipeTest, WithoutAWatchTheSleepIsInPoll) {
  FaultInjector no_epoll = FaultInjector::Fail(sys::Call::kEpoll, 1, EMFILE);
  Start(FrameOf("one"));
  ASSERT_TRUE(no_epoll.fired());
  EXPECT_EQ(Received(), "one;");
  EXPECT_EQ(transport_->close_reason().message(), "it has ended");
}

TEST_F(HeldPipeTest, AnEventLoopSeesTheEnd) {
  Start(FrameOf("one"));
  Loop();
}

}  // namespace
}  // namespace ferry::test
