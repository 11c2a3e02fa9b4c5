// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/hostile/raw_peer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "ferry/transport/shm_transport.h"

namespace ferry::test {

using internal::RingControl;
using internal::RingGeometry;
using internal::RingPosition;
using internal::RingSlot;
using internal::UniqueFd;

namespace {

constexpr size_t kMostDescriptors = 253;  // that the system lets pass at once

void Require(bool holds, const char* what) {
  if (holds) return;
  perror(what);
  abort();
}

}  // namespace

RawMemory::RawMemory(size_t size, int seals)
    : fd_(memfd_create("attacker", MFD_CLOEXEC | MFD_ALLOW_SEALING)), size_(size) {
  Require(ftruncate(fd_.get(), static_cast<off_t>(size)) == 0, "ftruncate");
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  Require(data != MAP_FAILED, "mmap");
  data_ = static_cast<char*>(data);
  if (seals != 0) Require(fcntl(fd_.get(), F_ADD_SEALS, seals) == 0, "F_ADD_SEALS");
}

RawMemory::~RawMemory() { munmap(data_, size_); }

RawPeer::RawPeer(int socket, size_t ring)
    : socket_(socket), geometry_(RingGeometry::For(ring)), memory_(geometry_.size()) {
  control().wake_at_slot = RingControl::kNever;
  control().wake_after_release = RingControl::kNever;
}

RawPeer::~RawPeer() {
  if (their_region_ != nullptr) munmap(const_cast<char*>(their_region_), their_geometry_.size());
}

RawGreeting RawPeer::honest() const {
  RawGreeting greeting;
  greeting.slots = geometry_.slots;
  greeting.ring = geometry_.ring;
  return greeting;
}

ssize_t RawPeer::SendBytes(const void* data, size_t size, const std::vector<int>& fds) const {
  struct iovec piece = {const_cast<void*>(data), size};
  alignas(struct cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (fds.size() > 0 && fds.size() <= kMostDescriptors) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  return sendmsg(socket(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void RawPeer::Greet(const RawGreeting& greeting, const std::vector<int>& fds) const {
  EXPECT_EQ(SendBytes(&greeting, sizeof(greeting), fds), static_cast<ssize_t>(sizeof(greeting)));
}

bool RawPeer::TakeGreeting() {
  RawGreeting greeting;
  struct iovec piece = {&greeting, sizeof(greeting)};
  char control[CMSG_SPACE(sizeof(int))];
  struct msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  struct pollfd arrived = {socket(), POLLIN, 0};
  poll(&arrived, 1, 5000);
  if (recvmsg(socket(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(greeting)) {
    return false;
  }
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return false;
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  UniqueFd memory(fd);
  their_geometry_ = {greeting.ring, greeting.slots};
  void* data = mmap(nullptr, their_geometry_.size(), PROT_READ, MAP_SHARED, memory.get(), 0);
  Require(data != MAP_FAILED, "mmap");
  their_region_ = static_cast<const char*>(data);
  return true;
}

bool RawPeer::SeesTheEnd(absl::Duration timeout) const {
  for (absl::Time end = absl::Now() + timeout; absl::Now() < end;) {
    struct pollfd arrived = {socket(), POLLIN, 0};
    poll(&arrived, 1, 10);
    char bytes[256];
    ssize_t got = recv(socket(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
  }
  return false;
}

RingControl& RawPeer::control() const { return *reinterpret_cast<RingControl*>(memory_.data()); }

RingSlot& RawPeer::slot(uint32_t index) const {
  auto* slots = reinterpret_cast<RingSlot*>(memory_.data() + geometry_.slots_at());
  return slots[index & (geometry_.slots - 1)];
}

void RawPeer::Put(const FrameHeader& header, std::string_view payload, uint32_t length_bits) {
  FrameHeader sized = header;
  sized.length = static_cast<uint32_t>(payload.size());
  uint32_t room = RingGeometry::Room(sized.length);
  uint32_t offset = geometry_.OffsetOf(position_.byte);
  uint32_t skipped = offset + room <= geometry_.ring ? 0 : geometry_.ring - offset;
  uint32_t begin = geometry_.Advance(position_.byte, skipped);

  char bytes[kFrameHeaderSize];
  EncodeFrameHeader(sized, bytes);
  RingSlot& at = slot(position_.slot);
  char* data = at.bytes() + RingSlot::kPayload;
  std::memcpy(at.bytes() + RingSlot::kHeader, bytes, sizeof(bytes));
  if (room != 0) {
    position_.byte = geometry_.Advance(begin, room);
    std::memcpy(data, &position_.byte, sizeof(position_.byte));
    data = ring() + geometry_.OffsetOf(begin);
  }
  if (!payload.empty()) std::memcpy(data, payload.data(), payload.size());
  at.words[0] = RingSlot::Commit(++position_.slot, sized.length | length_bits);
}

bool RawPeer::HasSlot() const {
  return position_.slot - RingPosition::Unpack(theirs().released).slot < geometry_.slots;
}

bool RawPeer::HasRoom(size_t payload) const {
  RingPosition read = RingPosition::Unpack(theirs().released.load());
  uint32_t used = geometry_.Distance(read.byte, position_.byte);
  // Twice the room: some may be skipped.
  return HasSlot() &&
         used + 2 * RingGeometry::Room(static_cast<uint32_t>(payload)) <= geometry_.ring;
}

const RingControl& RawPeer::theirs() const {
  return *reinterpret_cast<const RingControl*>(their_region_);
}

bool RawPeer::TakeFrame(FrameHeader& header, std::string& payload) {
  const auto* slots = reinterpret_cast<const RingSlot*>(their_region_ + their_geometry_.slots_at());
  const RingSlot& at = slots[read_.slot & (their_geometry_.slots - 1)];
  if (static_cast<uint32_t>(at.words[0].load()) != read_.slot + 1) return false;
  const char* bytes = reinterpret_cast<const char*>(&at);
  header = DecodeFrameHeader(bytes + RingSlot::kHeader);
  bool abandoned = (header.length & RingSlot::kAbandoned) != 0;
  header.length &= ~RingSlot::kAbandoned;
  uint32_t room = RingGeometry::Room(header.length);
  const char* data = bytes + RingSlot::kPayload;
  if (room != 0) {
    std::memcpy(&read_.byte, data, sizeof(read_.byte));
    uint32_t begin = their_geometry_.Advance(read_.byte, 2 * their_geometry_.ring - room);
    data = their_region_ + their_geometry_.ring_at() + their_geometry_.OffsetOf(begin);
  }
  payload.assign(data, header.length);
  ++read_.slot;
  control().released = read_.Pack();
  return !abandoned || TakeFrame(header, payload);
}

Duel MakeDuel(const ShmOptions& options, size_t ring) {
  int ends[2];
  Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  Duel duel;
  duel.attacker = std::make_unique<RawPeer>(ends[0], ring);
  auto outgoing = ShmTransport::MakeOutgoing(options);
  Require(outgoing.ok(), "MakeOutgoing");
  auto victim = ShmTransport::Create(UniqueFd(ends[1]), *std::move(outgoing), options,
                                     {"the attacker"}, nullptr);
  Require(victim.ok(), "ShmTransport::Create");
  duel.victim = *std::move(victim);
  Require(duel.attacker->TakeGreeting(), "the victim's greeting");
  return duel;
}

int ConnectRaw(const std::string& path) {
  struct sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<struct sockaddr*>(&name), sizeof(name)) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace ferry::test
