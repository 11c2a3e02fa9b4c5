// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What the system may do to each call: the exchange passes, or fails cleanly.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"
#include "ferry/transport/wait_set.h"
#include "tests/support/child_body.h"
#include "tests/support/fault_injector.h"
#include "tests/transport/contract_peer.h"

namespace ferry::test {
namespace {

using Call = internal::sys::Call;

// More than any exchange makes of a kind.
constexpr int kMaxCalls = 2000;
constexpr unsigned kHangsAfterSeconds = 60;

struct Fault {
  Call call;
  int error;
};

// Calls that a transport makes when it is connected, whoever its peer is.
bool IsAlsoMadeWithThreads(Call call) { return call <= Call::kPoll; }

// Has to be put up with.
constexpr Fault kHarmless[] = {
    {Call::kRead, EINTR},    {Call::kRead, EAGAIN},    {Call::kWrite, EINTR},
    {Call::kWrite, EAGAIN},  {Call::kPoll, EINTR},     {Call::kNoSignalWrite, EOPNOTSUPP},
    {Call::kWaitId, EINTR},  {Call::kAccept, EINTR},   {Call::kAccept, EAGAIN},
    {Call::kAccept, EMFILE}, {Call::kAccept, ENOMEM},  {Call::kAccept, ECONNABORTED},
    {Call::kConnect, EINTR}, {Call::kConnect, EAGAIN}, {Call::kRing, EINTR},
    {Call::kRing, ENOMEM},   {Call::kRing, ENOBUFS},
};

// May end the exchange.
constexpr Fault kGrave[] = {
    {Call::kRead, EIO},         {Call::kRead, ENOMEM},      {Call::kWrite, EPIPE},
    {Call::kWrite, ENOMEM},     {Call::kPoll, ENOMEM},      {Call::kPipe, EMFILE},
    {Call::kOpen, EMFILE},      {Call::kOpen, ENOMEM},      {Call::kFcntl, EMFILE},
    {Call::kEventFd, EMFILE},   {Call::kEventFd, ENOMEM},   {Call::kEpoll, EMFILE},
    {Call::kEpoll, ENOMEM},     {Call::kSpawn, EAGAIN},     {Call::kSpawn, ENOMEM},
    {Call::kPidFdOpen, EMFILE}, {Call::kPidFdOpen, ENOSYS}, {Call::kKill, EPERM},
    {Call::kAccess, EACCES},    {Call::kStat, ENOMEM},      {Call::kMkfifo, ENOSPC},
    {Call::kRename, EACCES},    {Call::kLock, ENOLCK},      {Call::kRandom, ENOSYS},
    {Call::kSocket, EMFILE},    {Call::kSocket, ENOMEM},    {Call::kBind, ENOMEM},
    {Call::kListen, ENOMEM},    {Call::kConnect, ENOMEM},   {Call::kConnect, ECONNREFUSED},
    {Call::kMemory, EMFILE},    {Call::kMemory, ENOMEM},    {Call::kMemory, ENOSYS},
    {Call::kRing, EPIPE},
};

// Who hangs is told from who is slow, and where.
char doing[100];
void SayWhatHangs(int) {
  ssize_t written = write(STDERR_FILENO, doing, strlen(doing));
  _exit(written < 0 ? 2 : 1);
}

void Echo(Transport& transport) {
  Frames frames(transport);
  for (std::string next; (next = frames.Next()) != "(closed)";) {
    SendMessage(transport, frames.call(), next);
  }
}

// The same in a set; answers why that cannot be.
absl::Status EchoInSet(std::unique_ptr<Transport> given) {
  absl::StatusOr<std::unique_ptr<WaitSet>> set = WaitSet::Create();
  const std::unique_ptr<Transport> owned = std::move(given);  // goes before the set
  Transport& transport = *owned;
  absl::Status joined = set.ok() ? transport.Join(**set, 1) : set.status();
  if (!joined.ok()) return joined;
  Frames frames(transport);
  WaitOptions look;
  look.deadline = Deadline::min();
  for (;;) {
    bool open = frames.Drain();
    while (std::optional<std::string> next = frames.Take()) {
      SendMessage(transport, frames.call(), *next);
    }
    if (!open) return absl::OkStatus();
    if (!transport.Arm()) (*set)->Next(kNoDeadline);
    transport.Wait(look);
  }
}

CHILD_BODY(Echoes) {
  Echo(*AcceptOne(**ListenAt("parent:"), [] { return false; }).value());
  return 0;
}

class ContractFault : public testing::TestWithParam<TransportKind> {
 protected:
  // Who is at the other end of the exchange.
  enum class Other { kThread, kThreadWithSet, kChild };

  void SetUp() override {
    signal(SIGALRM, SayWhatHangs);
    others_ = {Other::kThread, Other::kThreadWithSet};
    if (!GetParam().child_link.empty()) others_.push_back(Other::kChild);
  }
  void TearDown() override { alarm(0); }

  // One small and one large message each way, over a new connection.
  absl::Status Exchange(Other other, Meeting& meeting) {
    if (other == Other::kChild) {
      auto transport = ConnectTo(ChildAt("Echoes", GetParam().child_link, {}));
      return transport.ok() ? Exchange(**transport, LargeMessage()) : transport.status();
    }
    absl::StatusOr<TransportPair> pair = meeting.Meet();
    if (!pair.ok()) return pair.status();
    return Exchange(other, *std::move(pair), LargeMessage());
  }

  static absl::Status Exchange(Other other, TransportPair pair, const std::string& message) {
    absl::Status joined;
    std::thread echo([&joined, other, b = std::move(pair.second)]() mutable {
      if (other == Other::kThread) Echo(*b);
      if (other == Other::kThreadWithSet) joined = EchoInSet(std::move(b));
      b = nullptr;
    });
    absl::Status exchanged = Exchange(*pair.first, message);
    pair.first = nullptr;
    echo.join();
    return joined.ok() ? exchanged : joined;
  }

  static absl::Status Exchange(Transport& transport, const std::string& message) {
    Frames frames(transport);
    SendMessage(transport, 2, "small");
    SendMessage(transport, 4, message);
    bool small = false, large = false;
    while (!small || !large) {
      std::string next = frames.Next();
      if (next == "(closed)") return transport.close_reason();
      EXPECT_TRUE(next == "small" || next == message) << next.size();
      (next == "small" ? small : large) = true;
    }
    transport.Close(absl::CancelledError("enough"));
    return absl::OkStatus();
  }

  // With each call of the kind in turn, until there are no more.
  void FailEach(const Fault& fault, const std::function<void(const absl::Status&)>& check) {
    for (Other other : others_) {
      if (other == Other::kChild && IsAlsoMadeWithThreads(fault.call)) continue;
      bool fired = true;
      for (int k = 1; fired; ++k) {
        ASSERT_LT(k, kMaxCalls);
        std::string what = absl::StrCat(GetParam().name, " with other ", static_cast<int>(other),
                                        ": ", strerror(fault.error), " from call ",
                                        static_cast<int>(fault.call), ", number ", k, "\n");
        SCOPED_TRACE(what);
        snprintf(doing, sizeof(doing), "%s", what.c_str());
        alarm(kHangsAfterSeconds);
        size_t descriptors = CountDescriptors();
        {
          Meeting meeting(GetParam());
          auto injected = FaultInjector::Fail(fault.call, k, fault.error);
          check(Exchange(other, meeting));
          meeting.Close();
          fired = injected.fired();
        }
        EXPECT_EQ(CountDescriptors(), descriptors);
        if (HasFailure()) return;
      }
    }
  }

  std::vector<Other> others_;
};

TEST_P(ContractFault, HarmlessFaultsArePutUpWith) {
  for (const Fault& fault : kHarmless) {
    FailEach(fault, [&](const absl::Status& status) {
      // To the server of a named pipe it is a client that has filled its own pipe.
      bool turned_away = fault.call == Call::kWrite && fault.error == EAGAIN &&
                         GetParam().name == "NamedPipe" && absl::IsUnavailable(status);
      EXPECT_TRUE(status.ok() || turned_away) << status;
    });
  }
}

TEST_P(ContractFault, GraveFaultsEndTheConnectionAndLeaveNothing) {
  for (const Fault& fault : kGrave) {
    FailEach(fault, [&](const absl::Status& status) {
      EXPECT_TRUE(status.ok() || absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
                  status.code() == absl::ErrnoToStatusCode(fault.error))
          << status;
    });
  }
}

TEST_P(ContractFault, ReadsAndWritesMayComeUpShort) {
  for (Call call : {Call::kRead, Call::kWrite}) {
    for (Other other : {Other::kThread, Other::kThreadWithSet}) {
      snprintf(doing, sizeof(doing), "%s with other %d, short\n", GetParam().name.c_str(),
               static_cast<int>(other));
      alarm(kHangsAfterSeconds);
      Meeting meeting(GetParam());
      absl::StatusOr<TransportPair> pair = meeting.Meet();
      ASSERT_TRUE(pair.ok()) << pair.status();
      auto injected = FaultInjector::Shorten(call, 1);
      absl::Status status = Exchange(other, *std::move(pair), std::string(5000, 'm'));
      EXPECT_TRUE(status.ok()) << status;
    }
  }
}

INSTANTIATE_CONTRACT(ContractFault);

}  // namespace
}  // namespace ferry::test
