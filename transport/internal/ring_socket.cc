// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/ring_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/place.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

// What is taken in at a time of rings that nobody has waited for.
constexpr size_t kManyRings = 256;

// Of the text of a refusal.
constexpr size_t kMaxRefusal = 512;

constexpr uint32_t kHighestStatusCode = 16;  // UNAUTHENTICATED

// How often the system may be short of memory for one ring.
constexpr int kRingTries = 100;
constexpr absl::Duration kRingPause = absl::Milliseconds(1);

struct Greeting {
  uint64_t magic;
  uint32_t version;
  uint32_t slots;
  uint32_t ring;
  uint32_t reserved;
};
static_assert(sizeof(Greeting) == RingSocket::kGreetingSize);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

bool IsEnd(int error) { return error == ECONNRESET || error == EPIPE || error == ENOTCONN; }

}  // namespace

void RingSocket::Refuse(const UniqueFd& socket, const absl::Status& why) {
  Greeting greeting = {kMagic, kVersion, 0, static_cast<uint32_t>(why.code()), 0};
  std::string text(why.message().substr(0, kMaxRefusal));
  struct iovec pieces[] = {{&greeting, sizeof(greeting)}, {text.data(), text.size()}};
  sys::SendNow(socket.get(), pieces, 2);  // if it does not go, the peer sees the end
}

absl::Status RingSocket::Greet(const RingGeometry& ours, UniqueFd memory) {
  Greeting greeting = {kMagic, kVersion, ours.slots, ours.ring, 0};
  for (;;) {
    ssize_t sent = sys::SendDescriptor(fd(), &greeting, sizeof(greeting), memory.get());
    if (sent == sizeof(greeting)) {
      place_ = std::move(memory);
      return absl::OkStatus();
    }
    if (sent < 0 && errno == EINTR) continue;
    // ETOOMANYREFS: too many descriptors are on their way.
    if (sent >= 0 || IsShortage(errno) || errno == EAGAIN || errno == ETOOMANYREFS) {
      return absl::ResourceExhaustedError("shared memory: it could not be sent to the peer");
    }
    absl::Status failed = absl::ErrnoToStatus(errno, "shared memory");
    return IsEnd(errno) ? absl::UnavailableError(failed.message()) : failed;
  }
}

// EAGAIN means that the peer has not taken earlier rings yet, which wake it as well.
void RingSocket::Ring() const {
  for (int tries = 0; tries < kRingTries; ++tries) {
    if (sys::Ring(fd()) == 0 || errno == EAGAIN) return;
    if (errno == EINTR) continue;
    if (errno != ENOMEM && errno != ENOBUFS) break;
    sys::Poll(nullptr, 0, DeadlineAfter(kRingPause));
  }
  Shutdown();  // rather than to leave anybody asleep
}

void RingSocket::Shutdown() const {
  sys::EndOfWriting(fd());
  sys::EndOfReading(fd());
}

RingSocket::Taken RingSocket::Take(Mode mode) {
  if (!greeted()) return TakeGreeting();
  char rings[kManyRings];
  ssize_t got = mode == Mode::kMaySleep ? sys::Read(fd(), rings, sizeof(rings))
                                        : sys::ReceiveNow(fd(), rings, sizeof(rings));
  if (got == 0 || (got < 0 && IsEnd(errno))) return Taken::kEnd;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Taken::kNothing;
  if (got < 0) return Break(absl::UnavailableError(absl::ErrnoToStatus(errno, "recv").message()));
  const char* odd = std::find_if(rings, rings + got, [](char byte) { return byte != 0; });
  if (odd == rings + got) return Taken::kRings;
  return Break(absl::DataLossError(
      absl::StrCat("broken doorbell: byte ", static_cast<unsigned char>(*odd), ", expected 0")));
}

RingSocket::Taken RingSocket::TakeGreeting() {
  // Room is made for the descriptor only when it is there: others could take it.
  struct pollfd arrived = {fd(), POLLIN, 0};
  if (sys::Poll(&arrived, 1, Deadline::min()) != 1) return Taken::kNothing;
  place_ = UniqueFd();
  std::vector<int> fds;
  ssize_t got = sys::ReceiveDescriptors(fd(), greeting_ + have_, kGreetingSize - have_, fds);
  int error = errno;
  size_t count = fds.size();
  for (int received : fds) {
    UniqueFd memory(received);
    if (!peer_memory_.valid()) {
      peer_memory_ = std::move(memory);
      --count;
    }
  }
  if (got == 0 || (got < 0 && IsEnd(error))) return Taken::kEnd;
  if (got < 0 && (error == EAGAIN || error == EINTR)) return Taken::kNothing;
  if (got < 0) {
    return Break(absl::ResourceExhaustedError(absl::StrCat(
        "shared memory: it could not be received: ", absl::ErrnoToStatus(error, "").message())));
  }
  if (count != 0) return Break(absl::DataLossError("broken greeting: more than one descriptor"));
  have_ += static_cast<size_t>(got);
  if (greeted()) sys::RefuseDescriptors(fd());
  return greeted() ? ReadGreeting() : Taken::kNothing;
}

RingSocket::Taken RingSocket::ReadGreeting() {
  Greeting greeting;
  std::memcpy(&greeting, greeting_, sizeof(greeting));
  if (greeting.magic != kMagic) {
    return Break(absl::DataLossError(
        absl::StrCat("broken greeting: the peer does not speak ferry over shared memory")));
  }
  if (greeting.version != kVersion) {
    return Break(absl::DataLossError(absl::StrCat("broken greeting: layout ", greeting.version,
                                                  " of shared memory, expected ", kVersion)));
  }
  if (greeting.slots == 0 && greeting.ring > 0 && greeting.ring <= kHighestStatusCode) {
    return ReadRefusal(static_cast<int>(greeting.ring));
  }
  peer_geometry_ = {greeting.ring, greeting.slots};
  if (!peer_geometry_.IsValid()) {
    return Break(absl::DataLossError(absl::StrCat("broken greeting: a ring of ", greeting.ring,
                                                  " bytes and ", greeting.slots, " slots")));
  }
  if (!peer_memory_.valid()) {
    return Break(absl::DataLossError("broken greeting: it carries no memory"));
  }
  return Taken::kGreeting;
}

RingSocket::Taken RingSocket::ReadRefusal(int code) {
  char text[kMaxRefusal];
  ssize_t size = std::max<ssize_t>(sys::ReceiveNow(fd(), text, sizeof(text)), 0);
  return Break(absl::Status(static_cast<absl::StatusCode>(code),
                            absl::Utf8SafeCHexEscape({text, static_cast<size_t>(size)})));
}

RingSocket::Taken RingSocket::Break(absl::Status why) {
  broken_ = std::move(why);
  return Taken::kBroken;
}

}  // namespace ferry::internal
