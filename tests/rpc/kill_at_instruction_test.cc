// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A process that shares memory may be killed between any two instructions of a call: the
// other one's call fails at once, it can go on with others, and nothing is left behind.
//
// The process is stepped to the k-th instruction of a call, of some 2500, and killed there.
// Each test takes as many k as five seconds allow, spread evenly from a start at random: where
// a step takes 25 us, as in some virtual machines, about every twentieth, elsewhere more, and
// others each time. With FERRY_KILL_EVERY=1 in the environment it takes every k, which is
// minutes: `./dev check kill`.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/body_process.h"
#include "tests/support/child_body.h"
#include "tests/support/stepped_thread.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kBudget{5};
constexpr long kAtLeast = 10;  // however slow the machine is
constexpr unsigned kHangsAfterSeconds = 60;

// Which instructions of a call are the last.
class Sample {
 public:
  explicit Sample(long length) : length_(length) {
    start_ = std::uniform_real_distribution<double>(0, 1)(random_);
  }

  // The next, or -1.
  long Next() {
    long i = taken_++;
    if (every_) return i < length_ ? i : (--taken_, -1);
    if (i >= kAtLeast && Clock::now() - began_ > kBudget) return --taken_, -1;
    // By the golden ratio they are spread evenly however many there will be.
    double at = start_ + static_cast<double>(i) * 0.6180339887498949;
    return static_cast<long>((at - std::floor(at)) * static_cast<double>(length_));
  }

  long taken() const { return taken_; }

 private:
  const long length_;
  const bool every_ = getenv("FERRY_KILL_EVERY") != nullptr;
  const Clock::time_point began_ = Clock::now();
  std::random_device random_;
  double start_;
  long taken_ = 0;
};

std::set<std::string> NamesIn(const char* folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename());
  }
  return names;
}

size_t LinesWith(const char* file, const std::string& text) {
  std::ifstream lines(file);
  size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += absl::StrContains(line, text);
  return count;
}

// Of rings in this process.
size_t MappedRings() { return LinesWith("/proc/self/maps", "memfd:ferry"); }

char doing[100] = "the first call";
void SayWhatHangs(int) {
  ssize_t written = write(STDERR_FILENO, doing, strlen(doing));
  _exit(written < 0 ? 2 : 1);
}

absl::Status CallOver(const Channel& channel) {
  EchoRequest request;
  request.set_payload("how are you?");
  return EchoStub(channel).Echo(request).status();
}

// Between two calls of the stepped client.
constexpr int kMarker = SIGUSR1;

CHILD_BODY(CallsBetweenMarkers) {
  Channel channel = *Connect(Variable("AT"));
  for (int i = 0; i < 3; ++i) CallOver(channel).IgnoreError();
  SayLine("ready");
  HearLine();
  for (;;) {
    raise(kMarker);
    CallOver(channel).IgnoreError();
  }
}

class KillAtInstructionTest : public testing::Test {
 protected:
  void SetUp() override { signal(SIGALRM, SayWhatHangs); }

  void TearDown() override {
    alarm(0);
    EXPECT_EQ(NamesIn("/dev/shm"), in_shm_);
    EXPECT_EQ(NamesIn("/proc/self/fd").size(), descriptors_);
    EXPECT_EQ(MappedRings(), 0u);
    EXPECT_EQ(LinesWith("/proc/net/unix", unique_), 0u) << "a socket is left";
    EXPECT_TRUE(waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) << "a process is left";
  }

  static void Watch(const char* what, long k) {
    snprintf(doing, sizeof(doing), "%s is killed at instruction %ld: somebody hangs\n", what, k);
    alarm(kHangsAfterSeconds);
  }

  static absl::Status CallOnce(const std::string& address) {
    absl::StatusOr<Channel> channel = Connect(address);
    return channel.ok() ? CallOver(*channel) : channel.status();
  }

  TempFolder folder_;  // fails the test if a file is left in it
  const std::string unique_ = std::filesystem::path(folder_.path()).filename();
  // They sleep as soon as they wait, rather than step through a spin.
  const std::string at_path_ = absl::StrCat("shm:", folder_ / "server", "?spin=0");
  const std::string by_name_ = absl::StrCat("shm:", unique_, "?spin=0");
  const std::set<std::string> in_shm_ = NamesIn("/dev/shm");
  const size_t descriptors_ = NamesIn("/proc/self/fd").size();
};

// Starts one that comes to the beginning of a call as soon as it is let.
std::unique_ptr<BodyProcess> StartClient(const std::string& address) {
  return std::make_unique<BodyProcess>("CallsBetweenMarkers",
                                       std::vector<std::string>{"AT=" + address});
}

// Takes it over and lets it come there. Answers 0, or why it cannot be taken over.
int BringToACall(BodyProcess& client, std::unique_ptr<SteppedThread>& thread) {
  EXPECT_EQ(client.ReadLine(), "ready");
  thread = std::make_unique<SteppedThread>(client.pid());
  if (thread->error() != 0) return thread->error();
  client.WriteLine("go on");
  EXPECT_TRUE(thread->RunUntil(kMarker));
  return 0;
}

TEST_F(KillAtInstructionTest, AServerOutlivesAClientKilledAnywhereInACall) {
  EchoServer server(at_path_);
  Channel other = server.Connect();
  ASSERT_TRUE(CallOver(other).ok());
  const size_t descriptors = NamesIn("/proc/self/fd").size(), rings = MappedRings();

  std::unique_ptr<SteppedThread> thread;
  std::unique_ptr<BodyProcess> client = StartClient(at_path_);
  Watch("a client", 0);
  int error = BringToACall(*client, thread);
  if (error == EPERM) GTEST_SKIP() << "this system permits no ptrace";
  ASSERT_EQ(error, 0) << strerror(error);
  long length = 0;
  while (thread->Step()) ++length;
  client = nullptr;
  ASSERT_GT(length, 0);

  Sample sample(length);
  client = StartClient(at_path_);
  for (long k; (k = sample.Next()) >= 0;) {
    Watch("a client", k);
    ASSERT_EQ(BringToACall(*client, thread), 0);
    std::unique_ptr<BodyProcess> next = StartClient(at_path_);  // meanwhile
    for (long i = 0; i < k; ++i) thread->Step();
    client->Kill();
    ASSERT_TRUE(CallOnce(at_path_).ok()) << "after a kill at instruction " << k;
    ASSERT_TRUE(CallOver(other).ok()) << "after a kill at instruction " << k;
    client = std::move(next);
  }
  client->ReadLine();
  client = nullptr;
  std::printf("a client was killed at %ld of %ld instructions\n", sample.taken(), length);

  // The server sees the last ends in its own time.
  auto all_gone = [&] {
    return NamesIn("/proc/self/fd").size() <= descriptors && MappedRings() <= rings;
  };
  for (int i = 0; i < 1500 && !all_gone(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(NamesIn("/proc/self/fd").size(), descriptors);
  EXPECT_LE(MappedRings(), rings);
}

// Calls again and again, until a call fails.
class Caller {
 public:
  explicit Caller(const Channel& channel)
      : thread_([this, channel] {
          while ((status_ = CallOver(channel)).ok()) ++completed_;
          ended_ = Clock::now();
        }) {}
  ~Caller() {
    if (thread_.joinable()) thread_.join();
  }

  int completed() const { return completed_; }
  // How the last call failed, and when.
  absl::Status Await() {
    thread_.join();
    return status_;
  }
  Clock::time_point ended() const { return ended_; }

 private:
  std::atomic<int> completed_{0};
  absl::Status status_;
  Clock::time_point ended_;
  std::thread thread_;
};

// No other thread takes over while a handler is stepped, and so is slow.
CHILD_BODY(ServesOnOneThread) {
  EchoImpl service;
  ServerOptions options;
  options.max_threads = 1;
  Server server(options);
  server.Register(service);
  if (!server.Listen(Variable("AT")).ok()) return 1;
  SayLine("ready");
  std::thread stopper([&] {
    HearLine();
    server.Shutdown();
  });
  bool served = server.Serve().ok();
  stopper.join();
  return served ? 0 : 1;
}

class KillServerAtInstructionTest : public KillAtInstructionTest {
 protected:
  // Two take turns, so that one can start while the other is stepped.
  const std::string& AddressOf(long round) const { return round % 2 == 0 ? at_path_ : by_name_; }

  std::unique_ptr<BodyProcess> StartServer(long round) const {
    return std::make_unique<BodyProcess>("ServesOnOneThread",
                                         std::vector<std::string>{"AT=" + AddressOf(round)});
  }

  // Connects, and stops the server where it waits for a request. Answers 0, or why it
  // cannot be taken over.
  static int BringToSleep(BodyProcess& server, const std::string& address,
                          std::optional<Channel>& channel, std::unique_ptr<SteppedThread>& thread) {
    EXPECT_EQ(server.ReadLine(), "ready");
    absl::StatusOr<Channel> connected = Connect(address);
    EXPECT_TRUE(connected.ok()) << connected.status();
    channel = *connected;
    EXPECT_TRUE(CallOver(*channel).ok());
    absl::StatusOr<EchoReply> reply = EchoStub(*channel).Echo(EchoRequest());
    thread = std::make_unique<SteppedThread>(static_cast<pid_t>(reply->thread()));
    if (thread->error() != 0) return thread->error();
    EXPECT_EQ(reply->thread(), server.pid()) << "it is not the only one";
    thread->StopAsleep();
    return 0;
  }

  // What an address has left is the next server's to take away.
  static void EndInPeace(std::unique_ptr<BodyProcess> server, const std::string& address) {
    EXPECT_EQ(server->ReadLine(), "ready");
    EXPECT_TRUE(CallOnce(address).ok());
    server->WriteLine("stop");
    EXPECT_EQ(server->Wait(), 0);
  }
};

TEST_F(KillServerAtInstructionTest, AClientOutlivesAServerKilledAnywhereInACall) {
  std::unique_ptr<SteppedThread> thread;
  std::optional<Channel> channel;
  std::unique_ptr<BodyProcess> server = StartServer(0);
  Watch("a server", 0);
  int error = BringToSleep(*server, AddressOf(0), channel, thread);
  if (error != 0) {
    server->WriteLine("stop");
    EXPECT_EQ(server->Wait(), 0);
  }
  if (error == EPERM) GTEST_SKIP() << "this system permits no ptrace";
  ASSERT_EQ(error, 0) << strerror(error);
  // From one sleep to the next.
  long length = 0;
  {
    Caller caller(*channel);
    while (caller.completed() < 1 && thread->Step()) {
    }
    while (caller.completed() < 2 && thread->Step()) ++length;
    server->Kill();
  }
  ASSERT_GT(length, 0);

  Sample sample(length);
  Clock::duration longest{};
  long round = 0;
  server = StartServer(round);
  for (long k; (k = sample.Next()) >= 0; ++round) {
    Watch("a server", k);
    ASSERT_EQ(BringToSleep(*server, AddressOf(round), channel, thread), 0);
    std::unique_ptr<BodyProcess> next = StartServer(round + 1);  // meanwhile
    Caller caller(*channel);
    for (long i = 0; i < k; ++i) thread->Step();
    Clock::time_point killed = Clock::now();
    server->Kill();
    absl::Status status = caller.Await();
    ASSERT_TRUE(absl::IsUnavailable(status)) << status << " at instruction " << k;
    longest = std::max(longest, caller.ended() - killed);
    server = std::move(next);
  }
  channel.reset();
  EndInPeace(std::move(server), AddressOf(round));
  EndInPeace(StartServer(round + 1), AddressOf(round + 1));
  std::printf(
      "a server was killed at %ld of %ld instructions; a call failed after %.1f ms at most\n",
      sample.taken(), length, std::chrono::duration<double, std::milli>(longest).count());
}

}  // namespace
}  // namespace ferry::test
