// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/pipe_hello.h"
#include "ferry/transport/internal/pipe_names.h"
#include "ferry/transport/internal/place.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/named_pipe.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::PipeError;
using internal::PipeNames;
using internal::Place;
using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

// Of each of a client's pipes. By default it has 64 KiB, so that the 512th client would
// get the pipes of a user beyond pipe-user-pages-soft.
constexpr size_t kCapacity = 16 * 1024;

constexpr int kTries = 100;

// How often a client that waits looks whether its pipes are still there.
constexpr absl::Duration kLookAgain = absl::Milliseconds(100);

template <typename... Args>
absl::Status Unavailable(const Place& place, const Args&... what) {
  return absl::UnavailableError(absl::StrCat(place.address, ": ", what...));
}

absl::Status TooLate(const Place& place) {
  return absl::DeadlineExceededError(
      absl::StrCat(place.address, ": the server has not accepted the connection"));
}

// Whether the pipe that all clients share, with `error` from opening it, is a server's.
absl::Status CheckServer(const Place& place, const struct stat& there, int error) {
  if (there.st_mode != 0 && !internal::IsPipe(there)) {
    return Unavailable(place, internal::KindOfFile(there), ", not a named pipe");
  }
  if (there.st_mode != 0 && there.st_uid != geteuid()) {
    return absl::PermissionDeniedError(
        absl::StrCat(place.address, ": the server is one of ", internal::UserOf(there),
                     ", the client one of user ", geteuid(), "; unix: connects different users"));
  }
  if (error == 0) return absl::OkStatus();
  if (error == ENOENT) return Unavailable(place, "no such file");
  if (error == ENXIO) {
    return Unavailable(place,
                       "nobody listens (the pipe is left over from a server that has ended)");
  }
  return PipeError(place, "the pipe", error);
}

// Thread contract: thread-compatible.
class PipeClient {
 public:
  PipeClient(const Place& place, UniqueFd server) : place_(place), server_(std::move(server)) {}
  ~PipeClient() { names_.RemoveFrom(place_); }

  absl::StatusOr<std::unique_ptr<Transport>> Connect(Deadline deadline);

 private:
  enum class Made { kYes, kRemoved };
  enum class Answer { kWelcome, kRemoved };

  absl::StatusOr<Made> MakePipes();
  absl::StatusOr<UniqueFd> MakePipe(const std::string& name, int flags);
  bool HasName(const UniqueFd& pipe, const std::string& name) const;
  bool HasNames() const { return HasName(in_, names_.in) && HasName(out_, names_.out); }
  absl::Status SendHello(Deadline deadline);
  absl::StatusOr<Answer> AwaitAnswer(Deadline deadline);
  absl::StatusOr<std::optional<Answer>> TryReadAnswer();  // none: not yet

  const Place& place_;
  UniqueFd server_;  // kept open: it polls as broken when the server ends
  internal::PipeHello hello_;
  PipeNames names_;
  UniqueFd in_, out_;
};

absl::StatusOr<std::unique_ptr<Transport>> PipeClient::Connect(Deadline deadline) {
  for (int i = 0; i < kTries; ++i) {
    absl::StatusOr<Made> made = MakePipes();
    if (!made.ok()) return made.status();
    if (*made == Made::kRemoved) continue;
    if (absl::Status sent = SendHello(deadline); !sent.ok()) return sent;
    absl::StatusOr<Answer> answer = AwaitAnswer(deadline);
    if (!answer.ok()) return answer.status();
    if (*answer == Answer::kRemoved) continue;

    if (sys::SetBlocking(in_.get()) != 0) return PipeError(place_, "fcntl", errno);
    Peer peer;
    peer.description = absl::StrCat("the server of ", place_.address);
    peer.uid = geteuid();
    auto transport =
        StreamTransport::Create(std::move(in_), std::move(out_), internal::WriteEnd::Sharing::kOurs,
                                std::move(peer), nullptr);
    if (transport.ok()) return *std::move(transport);
    return absl::Status(transport.status().code(),
                        absl::StrCat(place_.address, ": ", transport.status().message()));
  }
  return absl::AbortedError(
      absl::StrCat(place_.address, ": the pipes made beside it are removed all the time"));
}

// kRemoved: a server took them for those of a client that has ended.
absl::StatusOr<PipeClient::Made> PipeClient::MakePipes() {
  names_.RemoveFrom(place_);
  if (sys::RandomBytes(hello_.nonce.data(), hello_.nonce.size()) != 0) {
    return PipeError(place_, "random bytes", errno);
  }
  names_ = PipeNames(place_.name, hello_.nonce);
  for (bool out : {true, false}) {
    UniqueFd& pipe = out ? out_ : in_;
    // What the server reads has a writer from here on; opened both ways, it needs no
    // reader, and writing to it raises no signal.
    absl::StatusOr<UniqueFd> made =
        out ? MakePipe(names_.out, O_RDWR) : MakePipe(names_.in, O_RDONLY);
    if (!made.ok()) return made.status();
    pipe = *std::move(made);
    if (!pipe.valid()) return Made::kRemoved;
  }
  return HasNames() ? Made::kYes : Made::kRemoved;
}

// An invalid descriptor if the name is taken, or already gone.
absl::StatusOr<UniqueFd> PipeClient::MakePipe(const std::string& name, int flags) {
  if (sys::MakeFifo(place_.folder.get(), name) != 0) {
    if (errno == EEXIST) return UniqueFd();
    std::string what = absl::StrCat("making a pipe in the folder ", place_.folder_path);
    return PipeError(place_, what.c_str(), errno);
  }
  struct stat made;
  UniqueFd pipe = internal::OpenPipe(place_, name, flags, made);
  if (!pipe.valid()) {
    if (errno == ENOENT) return UniqueFd();
    return PipeError(place_, "opening its own pipe", errno);
  }
  if (made.st_nlink == 0) return UniqueFd();
  if (!internal::IsOwnPipe(made)) {
    return absl::PermissionDeniedError(absl::StrCat(
        place_.address, ": somebody replaced a pipe made in the folder ", place_.folder_path));
  }
  // Where the system refuses it, more clients run into its limits, and nothing else.
  sys::SetPipeCapacity(pipe.get(), kCapacity);
  return pipe;
}

bool PipeClient::HasName(const UniqueFd& pipe, const std::string& name) const {
  struct stat opened, linked;
  return sys::StatOpen(pipe.get(), opened) == 0 &&
         sys::StatAt(place_.folder.get(), name, linked) == 0 &&
         internal::IsSameFile(opened, linked);
}

absl::Status PipeClient::SendHello(Deadline deadline) {
  const std::string record = internal::EncodePipeHello(hello_);
  struct iovec piece = {const_cast<char*>(record.data()), record.size()};
  // Whole or not at all: it is no longer than PIPE_BUF.
  while (sys::WriteNoSignal(server_.get(), &piece, 1) < 0) {
    if (errno == EPIPE) return Unavailable(place_, "the server has ended");
    if (errno != EAGAIN && errno != EINTR) return PipeError(place_, "write", errno);
    if (HasPassed(deadline)) return TooLate(place_);
    struct pollfd room = {server_.get(), POLLOUT, 0};
    if (sys::Poll(&room, 1, deadline) < 0 && errno != EINTR) {
      return PipeError(place_, "poll", errno);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<PipeClient::Answer> PipeClient::AwaitAnswer(Deadline deadline) {
  for (;;) {
    struct pollfd both[] = {{in_.get(), POLLIN, 0}, {server_.get(), 0, 0}};
    if (sys::Poll(both, 2, std::min(deadline, DeadlineAfter(kLookAgain))) < 0 && errno != EINTR) {
      return PipeError(place_, "poll", errno);
    }
    // What is an answer came before whatever else has happened meanwhile.
    bool has_ended = (both[1].revents & POLLERR) != 0;
    bool was_removed = !HasNames();
    absl::StatusOr<std::optional<Answer>> answer = TryReadAnswer();
    if (!answer.ok()) return answer.status();
    if (answer->has_value()) return **answer;
    if ((both[0].revents & POLLIN) != 0) continue;  // it is there
    if (has_ended) return Unavailable(place_, "the server has ended");
    if ((both[0].revents & POLLHUP) != 0) return Unavailable(place_, "the server hung up");
    if (was_removed) return Answer::kRemoved;
    if (HasPassed(deadline)) return TooLate(place_);
  }
}

absl::StatusOr<std::optional<PipeClient::Answer>> PipeClient::TryReadAnswer() {
  char record[internal::kPipeRecordSize];
  ssize_t got;
  while ((got = sys::Read(in_.get(), record, sizeof(record))) < 0 && errno == EINTR) {
  }
  if (got == 0 || (got < 0 && errno == EAGAIN)) return std::nullopt;
  if (got < 0) return PipeError(place_, "read", errno);
  absl::Status answer = internal::DecodePipeWelcome({record, static_cast<size_t>(got)});
  if (answer.ok()) return Answer::kWelcome;
  return absl::Status(answer.code(), absl::StrCat(place_.address, ": ", answer.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> ConnectNamedPipe(const std::string& path,
                                                            Deadline deadline) {
  absl::StatusOr<Place> place = Place::Find(internal::kNamedPipeScheme, path);
  if (!place.ok()) return place.status();
  if (absl::Status fits = internal::CheckPipeName(*place); !fits.ok()) return fits;
  // First, so that without a server nothing is made.
  struct stat there;
  UniqueFd server = internal::OpenPipe(*place, place->name, O_WRONLY, there);
  int error = server.valid() ? 0 : errno;
  if (absl::Status found = CheckServer(*place, there, error); !found.ok()) return found;
  return PipeClient(*place, std::move(server)).Connect(deadline);
}

}  // namespace ferry
