// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/named_endpoint.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

// Kills the process at its k-th system call.
class KillHook final : public internal::sys::FaultHook {
 public:
  explicit KillHook(int kth) : left_(kth) { internal::sys::SetFaultHook(this); }
  int Before(internal::sys::Call, size_t&) override {
    if (--left_ == 0) raise(SIGKILL);
    return 0;
  }

 private:
  std::atomic<int> left_;
};

void SetUpBody() {
  if (getenv("ORDINARY_USER") != nullptr) BecomeOrdinaryUser();
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // not to outlive a test that is killed
  if (getenv("KILL_AT") != nullptr) {
    static KillHook hook(std::atoi(Variable("KILL_AT").c_str()));
  }
}

CHILD_BODY(Serves) {
  SetUpBody();
  auto listener = ListenAt(Variable("AT"));
  SayLine(listener.ok() ? "ready" : listener.status().ToString());
  if (!listener.ok()) return 1;
  std::vector<std::unique_ptr<Transport>> clients;
  for (;;) {
    auto client = AcceptOne(**listener);
    if (client.ok() && *client != nullptr) clients.push_back(*std::move(client));
  }
}

CHILD_BODY(Connects) {
  SetUpBody();
  auto transport = ConnectTo(Variable("AT"));
  SayLine(transport.ok() ? "connected" : transport.status().ToString());
  if (!transport.ok()) return 1;
  HearLine();
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenAt(const std::string& address) {
  absl::StatusOr<Address> parsed = Address::Parse(address);
  return parsed.ok() ? Listen(*parsed) : parsed.status();
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectTo(const std::string& address,
                                                     absl::Duration timeout) {
  absl::StatusOr<Address> parsed = Address::Parse(address);
  return parsed.ok() ? ConnectTransport(*parsed, DeadlineAfter(timeout)) : parsed.status();
}

absl::StatusOr<std::unique_ptr<Transport>> AcceptOne(Listener& listener, absl::Duration timeout) {
  Deadline deadline = DeadlineAfter(timeout);
  for (;;) {
    absl::StatusOr<std::unique_ptr<Transport>> accepted = listener.TryAccept();
    if (!accepted.ok() || *accepted != nullptr || HasPassed(deadline)) return accepted;
    struct pollfd ready = {listener.wait_handle(), POLLIN, 0};
    internal::sys::Poll(&ready, 1, deadline);
  }
}

TransportPair ConnectPair(Listener& listener, const std::string& address) {
  TransportPair pair;
  std::thread client([&] {
    auto connected = ConnectTo(address);
    EXPECT_TRUE(connected.ok()) << connected.status();
    if (connected.ok()) pair.first = *std::move(connected);
  });
  auto accepted = AcceptOne(listener);
  client.join();
  EXPECT_TRUE(accepted.ok()) << accepted.status();
  if (accepted.ok()) pair.second = *std::move(accepted);
  return pair;
}

void ExpectToCarry(Transport& a, Transport& b) {
  Frames at_a(a), at_b(b);
  SendMessage(a, 2, "there");
  EXPECT_EQ(at_b.Next(), "there");
  SendMessage(b, 3, "and back");
  EXPECT_EQ(at_a.Next(), "and back");
}

bool EndsSoon(Transport& transport) {
  Deadline deadline = DeadlineAfter(absl::Seconds(20));
  Frames frames(transport);
  while (frames.Drain()) {
    if (HasPassed(deadline)) return false;
    WaitOptions wait;
    wait.deadline = deadline;
    transport.Wait(wait);
  }
  return true;
}

std::vector<std::string> At(const std::string& address) { return {absl::StrCat("AT=", address)}; }

void ExpectStatus(const absl::Status& status, absl::StatusCode code,
                  const std::vector<std::string>& parts) {
  EXPECT_EQ(status.code(), code) << status;
  for (const std::string& part : parts) {
    EXPECT_NE(std::string(status.message()).find(part), std::string::npos)
        << status << "\nlacks: " << part;
  }
}

}  // namespace ferry::test
