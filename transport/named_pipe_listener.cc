// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/pipe_hello.h"
#include "ferry/transport/internal/pipe_names.h"
#include "ferry/transport/internal/place.h"
#include "ferry/transport/internal/sys.h"
#include "ferry/transport/named_pipe.h"
#include "ferry/transport/stream_transport.h"

namespace ferry {

using internal::PipeHello;
using internal::PipeNames;
using internal::Place;
using internal::UniqueFd;
namespace sys = internal::sys;

namespace {

// Longer than a client needs from making a pipe to opening it.
constexpr absl::Duration kLeftover = absl::Seconds(2);
constexpr int kAcceptsPerSweep = 64;
// At the end, how long clients that wait have to go, and killed ones to be gone.
constexpr absl::Duration kFarewell = absl::Milliseconds(100);

// So much of what is no client's hello is passed by before others have their turn.
constexpr int kRecordsPerAccept = 128;

// Of a pipe just opened for reading. If it has one, its end will show; if it never had
// one since, poll would be silent about it for ever, and read answers 0.
bool HasWriter(const UniqueFd& pipe) {
  char byte;
  return sys::Read(pipe.get(), &byte, 1) < 0 && errno == EAGAIN;
}

// Thread contract: that of Listener.
class NamedPipeListener final : public Listener {
 public:
  NamedPipeListener(Place place, UniqueFd pipe)
      : place_(std::move(place)), pipe_(std::move(pipe)) {}
  ~NamedPipeListener() override;

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override;
  int wait_handle() const override { return pipe_.get(); }

 private:
  bool ReadHello();
  absl::StatusOr<UniqueFd> OpenClientsPipe(const std::string& name, int flags);
  absl::StatusOr<std::unique_ptr<Transport>> Accept(const PipeHello& hello);
  static bool Answer(const UniqueFd& client, const PipeHello& hello);

  const internal::ForkMark fork_mark_;
  const Place place_;
  UniqueFd pipe_;  // locked; open for writing, too, so that it never ends
  internal::PipeHelloReader reader_;
  std::optional<PipeHello> hello_;  // of a client that is still to be let in
  int accepted_ = 0;
};

NamedPipeListener::~NamedPipeListener() {
  if (fork_mark_.IsForked()) return;
  struct stat opened, linked;
  if (sys::StatOpen(pipe_.get(), opened) == 0 &&
      sys::StatAt(place_.folder.get(), place_.name, linked) == 0 &&
      internal::IsSameFile(opened, linked)) {
    sys::Unlink(place_.folder.get(), place_.name);
  }
  pipe_.Reset();  // which clients that wait see, and go
  Deadline deadline = DeadlineAfter(kFarewell);
  while (internal::RemoveLeftovers(place_, absl::ZeroDuration()) && !HasPassed(deadline)) {
    sys::Poll(nullptr, 0, DeadlineAfter(internal::kDyingPause));
  }
}

absl::StatusOr<std::unique_ptr<Transport>> NamedPipeListener::TryAccept() {
  if (fork_mark_.IsForked()) return internal::ForkMark::Refuse(place_.address.c_str());
  for (int i = 0; i < kRecordsPerAccept; ++i) {
    if (!hello_.has_value() && !ReadHello()) return nullptr;
    absl::StatusOr<std::unique_ptr<Transport>> accepted = Accept(*hello_);
    if (!accepted.ok()) return accepted;
    hello_.reset();
    if (*accepted == nullptr) continue;
    if (++accepted_ % kAcceptsPerSweep == 0) internal::RemoveLeftovers(place_, kLeftover);
    return accepted;
  }
  return nullptr;
}

bool NamedPipeListener::ReadHello() {
  char bytes[internal::kPipeRecordSize];
  for (int i = 0; i < kRecordsPerAccept; ++i) {
    ssize_t got = sys::Read(pipe_.get(), bytes, reader_.wanted());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    PipeHello hello;
    if (!reader_.Add({bytes, static_cast<size_t>(got)}, hello)) continue;
    hello_ = hello;
    return true;
  }
  return false;
}

// An invalid descriptor when the client is gone or what is there is none of its pipes.
absl::StatusOr<UniqueFd> NamedPipeListener::OpenClientsPipe(const std::string& name, int flags) {
  struct stat opened, shared;
  UniqueFd fd = internal::OpenPipe(place_, name, flags, opened);
  if (!fd.valid() && internal::IsShortage(errno)) {
    return internal::PipeError(place_, "a client's pipe", errno);
  }
  bool is_clients = fd.valid() && internal::IsOwnPipe(opened) &&
                    sys::StatOpen(pipe_.get(), shared) == 0 &&
                    !internal::IsSameFile(opened, shared);
  return is_clients ? std::move(fd) : UniqueFd();
}

// Null when the client is gone. Its `in` is opened last, since closing it again tells the
// client that it was turned away.
absl::StatusOr<std::unique_ptr<Transport>> NamedPipeListener::Accept(const PipeHello& hello) {
  const PipeNames names(place_.name, hello.nonce);
  absl::StatusOr<UniqueFd> read_fd = OpenClientsPipe(names.out, O_RDONLY);
  if (!read_fd.ok()) return read_fd.status();
  absl::StatusOr<UniqueFd> write_fd = UniqueFd();
  if (read_fd->valid() && HasWriter(*read_fd)) write_fd = OpenClientsPipe(names.in, O_RDWR);
  if (!write_fd.ok()) return write_fd.status();
  bool welcomed = write_fd->valid() && Answer(*write_fd, hello);
  names.RemoveFrom(place_);  // which one that is not gone sees, and tries again
  if (!welcomed) return nullptr;
  Peer peer;
  peer.description = absl::StrCat("a client of ", place_.address);
  peer.uid = geteuid();
  auto transport =
      StreamTransport::Create(*std::move(read_fd), *std::move(write_fd),
                              internal::WriteEnd::Sharing::kOurs, std::move(peer), nullptr);
  if (!transport.ok()) return nullptr;
  return *std::move(transport);
}

// Writes what becomes of the client; whether it is let in.
bool NamedPipeListener::Answer(const UniqueFd& client, const PipeHello& hello) {
  absl::Status answer;
  if (hello.version != internal::kPipeVersion) {
    answer = absl::FailedPreconditionError(absl::StrCat("the server speaks version ",
                                                        internal::kPipeVersion,
                                                        " of named pipes, not ", hello.version));
  }
  std::string record = internal::EncodePipeWelcome(answer);
  struct iovec piece = {record.data(), record.size()};
  ssize_t written;
  while ((written = sys::WriteNoSignal(client.get(), &piece, 1)) < 0 && errno == EINTR) {
  }
  return written > 0 && answer.ok();
}

absl::Status CheckPath(const Place& place, const struct stat& there) {
  bool is_ours = internal::IsPipe(there) && there.st_uid == geteuid();
  if (!is_ours) return place.InTheWay(place.name, there);
  if ((there.st_mode & (S_IRWXG | S_IRWXO)) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "%s: the pipe that is there has mode %o, which is for other users, too; remove it, or "
      "chmod it to 600",
      place.address, there.st_mode & 07777));
}

// The pipe at the place, made if need be, and locked. Not a POSIX lock: a client in the
// same process, closing the pipe, would end that.
absl::StatusOr<UniqueFd> TakePipe(const Place& place) {
  int folder = place.folder.get();
  Deadline deadline = DeadlineAfter(internal::kDying);
  struct stat opened, linked;
  for (int i = 0; i < internal::kTakingTries; ++i) {
    if (sys::MakeFifo(folder, place.name) != 0 && errno != EEXIST) {
      return internal::PipeError(place, "making the pipe", errno);
    }
    if (sys::StatAt(folder, place.name, linked) != 0) {
      if (errno == ENOENT) continue;
      return internal::PipeError(place, "what is there", errno);
    }
    if (absl::Status ours = CheckPath(place, linked); !ours.ok()) return ours;
    bool has_reader = internal::OpenPipe(place, place.name, O_WRONLY, opened).valid();
    UniqueFd pipe = internal::OpenPipe(place, place.name, O_RDWR, opened);
    if (!pipe.valid()) {
      if (errno == ENOENT) continue;
      return internal::PipeError(place, "the pipe", errno);
    }
    if (sys::LockDescription(pipe.get()) != 0) {
      if (errno != EWOULDBLOCK) return internal::PipeError(place, "locking the pipe", errno);
      return absl::AlreadyExistsError(absl::StrCat(place.address, " is served already"));
    }
    if (sys::StatAt(folder, place.name, linked) != 0) {
      if (errno == ENOENT) continue;  // its owner has removed it meanwhile
      return internal::PipeError(place, "what is there", errno);
    }
    if (!internal::IsSameFile(opened, linked)) continue;
    if (!has_reader) return pipe;
    if (HasPassed(deadline)) {
      return absl::AlreadyExistsError(
          absl::StrCat(place.address, ": a program that is no ferry server reads this pipe"));
    }
    pipe.Reset();
    sys::Poll(nullptr, 0, DeadlineAfter(internal::kDyingPause));
  }
  return absl::AbortedError(absl::StrCat(place.address, " is replaced all the time"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenNamedPipe(const std::string& path) {
  absl::StatusOr<Place> place = Place::FindToServe(internal::kNamedPipeScheme, path);
  if (!place.ok()) return place.status();
  if (absl::Status fits = internal::CheckPipeName(*place); !fits.ok()) return fits;
  absl::StatusOr<UniqueFd> pipe = TakePipe(*place);
  if (!pipe.ok()) return pipe.status();
  internal::RemoveLeftovers(*place, kLeftover);
  return std::make_unique<NamedPipeListener>(*std::move(place), *std::move(pipe));
}

}  // namespace ferry
