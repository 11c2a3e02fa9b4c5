// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/contract_peer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/sys.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

using internal::UniqueFd;

Reservation ReserveIn(Transport& transport, const std::string& message) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.call.value = 2;
  header.method = 1;
  Reservation reservation;
  if (transport.Reserve(header, message.size(), reservation) != ReserveResult::kOk) return {};
  std::memcpy(reservation.data, message.data(), message.size());
  return reservation;
}

void Send(Transport& transport, const std::string& message) { SendMessage(transport, 2, message); }

// Answers the third frame that arrives, unreleased.
void TakeThreeFrames(Transport& transport) {
  Frame frame;
  for (int taken = 0; taken < 3;) {
    ReadResult result = transport.TryRead(frame);
    if (result == ReadResult::kClosed) _exit(1);
    if (result == ReadResult::kEmpty) transport.Wait({});
    if (result == ReadResult::kFrame && ++taken < 3) transport.Release();
  }
}

// On the test's stdin or, if that is not ours, its Lines.
void Say(const std::string& line) {
  const char* path = getenv("SAY");
  if (path == nullptr) return SayLine(line);
  static int fd = open(path, O_WRONLY | O_CLOEXEC);
  std::string text = line + "\n";
  if (write(fd, text.data(), text.size()) < 0) _exit(1);
}

// Kills this process by its k-th system call.
class KillHook final : public internal::sys::FaultHook {
 public:
  explicit KillHook(int k) : left_(k) { internal::sys::SetFaultHook(this); }
  int Before(internal::sys::Call, size_t&) override {
    if (--left_ == 0) kill(getpid(), SIGKILL);
    return 0;
  }

 private:
  std::atomic<int> left_;
};

absl::StatusOr<std::unique_ptr<Transport>> Connect(Role role) {
  if (role == Role::kConnects || role == Role::kIsParent) return ConnectTo(Variable("AT"));
  bool is_child = role == Role::kIsChild;
  auto listener = ListenAt(is_child ? "parent:" : Variable("AT"));
  if (!listener.ok()) return listener.status();
  if (!is_child) Say("listening");
  return AcceptOne(**listener, [] { return false; });
}

void GetTo(Step step, Transport& transport) {
  if (step != Step::kConnected) Send(transport, "greeting");
  Reservation reservation;
  Frames frames(transport);
  switch (step) {
    case Step::kConnected:
      break;
    case Step::kReserved:
      reservation = ReserveIn(transport, "reserved");
      break;
    case Step::kCommitted:
      reservation = ReserveIn(transport, "committed");
      transport.Commit(reservation);
      break;
    case Step::kInMessage:
      Send(transport, std::string(8000000, 'l'));
      break;
    case Step::kReading:
      Say("there");
      frames.Next();
      break;
    case Step::kInFrame:
      TakeThreeFrames(transport);
      break;
    case Step::kAnswered:
      frames.Next();
      Send(transport, "answer");
      break;
  }
  if (step != Step::kReading) Say("there");
  for (;;) pause();
}

CHILD_BODY(Dies) {
  Role role = static_cast<Role>(std::stoi(Variable("ROLE")));
  int kth_call = std::stoi(Variable("CALL"));
  std::optional<KillHook> hook;
  if (kth_call != 0) {
    if (role == Role::kIsChild) Say("here");
    hook.emplace(kth_call);
  }
  auto transport = Connect(role);
  if (!transport.ok()) {
    Say(transport.status().ToString());
    return 1;
  }
  if (kth_call == 0) GetTo(static_cast<Step>(std::stoi(Variable("STEP"))), **transport);
  Frames frames(**transport);
  SendMessage(**transport, 2, "small");
  SendMessage(**transport, 2, LargeMessage());
  for (std::string next; next != "answer" && next != "(closed)";) next = frames.Next();
  transport->reset();
  internal::sys::SetFaultHook(nullptr);
  if (role == Role::kIsChild) Say("done");
  return 0;
}

CHILD_BODY(SurvivesParent) {
  auto listener = ListenAt("parent:");
  UniqueFd parent(internal::sys::PidFdOpen(getppid()));
  Say("here");  // from now on it may die
  auto transport = (*listener)->TryAccept();
  *listener = nullptr;
  Step step = static_cast<Step>(std::stoi(Variable("STEP")));
  BeforeTheEnd(**transport, step);
  struct pollfd end = {parent.get(), POLLIN, 0};
  if (!ReadsMeanwhile(step)) poll(&end, 1, -1);
  std::string wrong = AfterTheEnd(**transport, step);
  Say(wrong.empty() ? "ok" : wrong);
  return 0;
}

std::vector<std::string> Variables(Role role, int call, Step step, const std::string& address) {
  return {absl::StrCat("ROLE=", static_cast<int>(role)), absl::StrCat("CALL=", call),
          absl::StrCat("STEP=", static_cast<int>(step)), "AT=" + address};
}

}  // namespace

std::vector<Role> RolesOf(const TransportKind& kind) {
  if (!kind.has(TransportKind::kProcesses)) return {};
  std::vector<Role> roles;
  if (!kind.address.empty()) roles = {Role::kConnects, Role::kServes};
  if (!kind.child_link.empty()) roles.insert(roles.end(), {Role::kIsChild, Role::kIsParent});
  return roles;
}

std::string NameOf(Role role) {
  static constexpr const char* kNames[] = {"connects", "serves", "is the child", "is the parent"};
  return kNames[static_cast<int>(role)];
}

std::string NameOf(Step step) {
  static constexpr const char* kNames[] = {"connected", "reserved",   "committed", "in a message",
                                           "reading",   "in a frame", "answered"};
  return kNames[static_cast<int>(step)];
}

std::vector<std::string> GetsTo(Role role, Step step, const std::string& address) {
  return Variables(role, 0, step, address);
}

std::vector<std::string> IsKilledByCall(Role role, int k, const std::string& address) {
  return Variables(role, k, Step::kConnected, address);
}

std::string ChildAt(const std::string& body, const std::string& link,
                    const std::vector<std::string>& variables) {
  std::string address = absl::StrCat(ChildAddress(body), "&transport=", link);
  for (const std::string& variable : variables) absl::StrAppend(&address, "&env=", variable);
  return address;
}

std::string LargeMessage() { return std::string(kMaxFrame + 20000, 'l'); }

void BeforeTheEnd(Transport& transport, Step step) {
  if (step == Step::kInFrame) Send(transport, std::string(5000000, 'l'));
  if (step == Step::kAnswered) Send(transport, "question");
}

std::string AfterTheEnd(Transport& transport, Step step) {
  if (step == Step::kConnected) return SeesTheEnd(transport, {}, {});
  if (step == Step::kAnswered) return SeesTheEnd(transport, {"greeting", "answer"}, {});
  if (step == Step::kCommitted) return SeesTheEnd(transport, {"greeting"}, {"committed"});
  return SeesTheEnd(transport, {"greeting"}, {});
}

std::string SeesTheEnd(Transport& transport, const std::vector<std::string>& must,
                       const std::vector<std::string>& may) {
  Send(transport, "into the void");
  Reservation early = ReserveIn(transport, "never");
  std::vector<std::string> possible = must, received;
  possible.insert(possible.end(), may.begin(), may.end());
  Frames frames(transport);
  for (std::string next; (next = frames.Next()) != "(closed)";) received.push_back(next);
  if (early.slot != nullptr) transport.Commit(early);
  Send(transport, "into the void");

  bool whole = received.size() >= must.size() && received.size() <= possible.size() &&
               std::equal(received.begin(), received.end(), possible.begin());
  if (!whole) {
    for (std::string& message : received) message.resize(std::min<size_t>(message.size(), 40));
    return "received: " + absl::StrJoin(received, ", ");
  }
  absl::Status reason = transport.close_reason();
  return absl::IsUnavailable(reason) ? "" : reason.ToString();
}

Lines::Lines() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  read_end_ = ends[0];
  write_end_ = ends[1];
  path_ = absl::StrCat("/proc/", getpid(), "/fd/", write_end_);
}

Lines::~Lines() {
  close(read_end_);
  if (write_end_ >= 0) close(write_end_);
}

std::string Lines::Read() {
  std::string line;
  for (char byte; read(read_end_, &byte, 1) == 1 && byte != '\n';) line.push_back(byte);
  if (write_end_ >= 0) close(std::exchange(write_end_, -1));
  return line;
}

}  // namespace ferry::test
