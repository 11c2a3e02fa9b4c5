// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/contract.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "absl/strings/str_replace.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"
#include "tests/support/fault_injector.h"

namespace ferry::test {
namespace {

using internal::UniqueFd;
using Kind = TransportKind;

using internal::WriteEnd;

// The system calls of the test itself meet no injected faults.
absl::StatusOr<TransportPair> PipePair(WriteEnd::Sharing sharing) {
  int forth[2], back[2];
  EXPECT_EQ(pipe2(forth, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(back, O_CLOEXEC), 0);
  UniqueFd ends[] = {UniqueFd(forth[0]), UniqueFd(forth[1]), UniqueFd(back[0]), UniqueFd(back[1])};
  auto a = StreamTransport::Create(std::move(ends[2]), std::move(ends[1]), sharing, {"b"}, nullptr);
  auto b = StreamTransport::Create(std::move(ends[0]), std::move(ends[3]), sharing, {"a"}, nullptr);
  if (!a.ok()) return a.status();
  if (!b.ok()) return b.status();
  return TransportPair(*std::move(a), *std::move(b));
}

absl::StatusOr<TransportPair> Pipes() { return PipePair(WriteEnd::Sharing::kOurs); }

// Of a child that talks over its stdin and stdout, at both ends.
absl::StatusOr<TransportPair> SharedPipes() { return PipePair(WriteEnd::Sharing::kShared); }

absl::StatusOr<TransportPair> PipesWithoutProc() {
  auto no_proc = FaultInjector::FailAll(internal::sys::Call::kOpen, ENOENT);
  return Pipes();
}

absl::StatusOr<TransportPair> SharedPipesWithoutProc() {
  auto no_proc = FaultInjector::FailAll(internal::sys::Call::kOpen, ENOENT);
  return SharedPipes();
}

// Of a transport that gets no frames as yet.
bool HasEnded(Transport& transport) {
  WaitOptions look;
  look.deadline = Deadline::min();
  transport.Wait(look);
  Frame frame;
  return transport.TryRead(frame) == ReadResult::kClosed;
}

}  // namespace

std::vector<TransportKind> Kinds() {
  return {
      {"Inproc", nullptr, "inproc:contract", "", Kind::kProcesses | Kind::kStream},
      {"Pipe", Pipes, "", "pipe"},
      {"PipeWithoutProc", PipesWithoutProc, "", ""},
      {"Stdio", SharedPipes, "", "stdio"},
      {"StdioWithoutProc", SharedPipesWithoutProc, "", ""},
      {"Unix", nullptr, "unix:FOLDER/socket", "unix"},
      {"UnixAbstract", nullptr, "unix-abstract:FOLDER", ""},
      {"NamedPipe", nullptr, "named-pipe:FOLDER/pipe", ""},
      {"Shm", nullptr, "shm:FOLDER/rings", "shm"},
      {"SmallShm", nullptr, "shm:FOLDER/rings?ring=16KiB", "shm&ring=16KiB"},
  };
}

Meeting::Meeting(const TransportKind& kind)
    : pair_(kind.pair), address_(absl::StrReplaceAll(kind.address, {{"FOLDER", folder_.path()}})) {}

absl::StatusOr<TransportPair> Meeting::Meet() {
  if (pair_ != nullptr) return pair_();
  if (listener_ == nullptr) {
    absl::StatusOr<std::unique_ptr<Listener>> listener = ListenAt(address_);
    if (!listener.ok()) return listener.status();
    listener_ = *std::move(listener);
  }
  absl::StatusOr<std::unique_ptr<Transport>> client;
  std::atomic<bool> done{false};
  std::thread connecting([&] {
    client = ConnectTo(address_);
    done = true;
  });
  auto server = AcceptOne(*listener_, [&] { return done && (!client.ok() || HasEnded(**client)); });
  connecting.join();
  if (!client.ok()) return client.status();
  if (!server.ok()) return HasEnded(**client) ? (*client)->close_reason() : server.status();
  return TransportPair(*std::move(client), *std::move(server));
}

Meeting::~Meeting() {
  Close();
  if (!folder_.Names().empty()) {
    EXPECT_TRUE(ListenAt(address_).ok());
  }
}

absl::StatusOr<std::unique_ptr<Listener>> ListenAt(const std::string& address) {
  return Listen(*Address::Parse(address));
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectTo(const std::string& address) {
  return ConnectTransport(*Address::Parse(address), DeadlineAfter(absl::Seconds(60)));
}

absl::StatusOr<std::unique_ptr<Transport>> AcceptOne(Listener& listener,
                                                     const std::function<bool()>& given_up) {
  for (;;) {
    bool last = given_up();
    absl::StatusOr<std::unique_ptr<Transport>> accepted = listener.TryAccept();
    bool try_again =
        accepted.ok() ? *accepted == nullptr : absl::IsResourceExhausted(accepted.status());
    if (!try_again) return accepted;
    if (last) return absl::AbortedError("nobody came");
    struct pollfd arrived = {listener.wait_handle(), POLLIN, 0};
    poll(&arrived, 1, 5);
  }
}

size_t CountDescriptors() {
  size_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

Reservation TransportContract::Reserve(uint32_t call, const std::string& message) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.call.value = call;
  header.method = 1;
  Reservation reservation;
  EXPECT_EQ(a_->Reserve(header, message.size(), reservation), ReserveResult::kOk);
  std::memcpy(reservation.data, message.data(), message.size());
  return reservation;
}

}  // namespace ferry::test
