// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: any bytes as a greeting on the socket, or as the control words, slots and
// payloads of a peer's region. A reader that hands out a frame hands out one within its
// bounds.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ferry/transport/internal/ring_reader.h"
#include "ferry/transport/internal/ring_region.h"
#include "ferry/transport/internal/ring_socket.h"
#include "ferry/transport/internal/ring_writer.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

void Check(bool holds) {
  if (!holds) abort();
}

// Two connected sockets, and a region that one of them may send.
struct Connection {
  Connection() {
    int ends[2];
    Check(sys::SocketPair(ends) == 0);
    ours = UniqueFd(ends[0]);
    theirs = UniqueFd(ends[1]);
    absl::StatusOr<RingRegion> made = RingRegion::Create(geometry, memory);
    Check(made.ok());
  }
  const RingGeometry geometry = RingGeometry::For(RingGeometry::kMinRing);
  UniqueFd ours, theirs, memory;
};

// An honest greeting, changed by the first bytes of the input; the rest follows it. It
// comes in two pieces, with a descriptor at either or at both.
void FuzzGreeting(const uint8_t* data, size_t size) {
  constexpr size_t kSize = RingSocket::kGreetingSize;
  Connection connection;
  const uint32_t sizes[] = {connection.geometry.slots, connection.geometry.ring, 0};
  std::string bytes(std::max(size, kSize), '\0');
  std::memcpy(&bytes[0], &RingSocket::kMagic, 8);
  std::memcpy(&bytes[8], &RingSocket::kVersion, 4);
  std::memcpy(&bytes[12], sizes, sizeof(sizes));
  for (size_t i = 2; i < size; ++i) bytes[i - 2] ^= static_cast<char>(data[i]);

  RingSocket socket(std::move(connection.ours));
  size_t cut = 1 + (size > 1 ? data[1] : 0) % (kSize - 1);
  for (std::string piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    bool carries = (data[0] & (piece.size() == cut ? 1 : 2)) != 0;
    struct iovec plain = {&piece[0], piece.size()};
    ssize_t sent = carries ? sys::SendDescriptor(connection.theirs.get(), piece.data(),
                                                 piece.size(), connection.memory.get())
                           : sys::SendNow(connection.theirs.get(), &plain, 1);
    Check(sent == static_cast<ssize_t>(piece.size()));
  }
  sys::EndOfWriting(connection.theirs.get());
  for (size_t looks = 0; looks < bytes.size() + 3; ++looks) {
    switch (socket.Take(RingSocket::Mode::kNow)) {
      case RingSocket::Taken::kNothing:
      case RingSocket::Taken::kRings:
        break;
      case RingSocket::Taken::kGreeting:
        Check(socket.peer_geometry().IsValid());
        RingRegion::MapPeers(socket.TakePeerMemory(), socket.peer_geometry())
            .status()
            .IgnoreError();
        break;
      case RingSocket::Taken::kEnd:
        return;
      case RingSocket::Taken::kBroken:
        Check(!socket.what_is_broken().ok());
        return;
    }
  }
  Check(false);  // more looks than bytes
}

// A region on the heap, where a byte outside is found out.
struct Region {
  explicit Region(const RingGeometry& geometry)
      : memory(static_cast<char*>(std::aligned_alloc(RingGeometry::kPage, geometry.size()))) {
    std::memset(memory.get(), 0, geometry.size());
  }
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  std::unique_ptr<char, Free> memory;
};

// 64 bytes of input for each slot, which gets the stamp that is expected, so that the reader
// comes to look at the rest, unless the input's own has its highest bit set.
void FuzzRegion(const uint8_t* data, size_t size) {
  const RingGeometry geometry = RingGeometry::For(RingGeometry::kMinRing);
  Region theirs(geometry), ours(geometry);
  auto* control = reinterpret_cast<RingControl*>(theirs.memory.get());
  const RingReader::Trust trust =
      (data[0] & 1) != 0 ? RingReader::Trust::kYes : RingReader::Trust::kNo;
  RingWriter writer(ours.memory.get(), geometry);
  RingReader reader(reinterpret_cast<RingControl*>(ours.memory.get()), trust);
  reader.Attach(theirs.memory.get(), geometry);
  writer.Attach(control);
  const uint8_t* at = data + 1;
  const uint8_t* end = data + size;
  uint32_t index = 0;
  for (; at < end;) {
    auto* slot = reinterpret_cast<RingSlot*>(theirs.memory.get() + geometry.slots_at()) +
                 (index & (geometry.slots - 1));
    char bytes[64] = {};
    std::memcpy(bytes, at, std::min<size_t>(sizeof(bytes), static_cast<size_t>(end - at)));
    at += std::min<size_t>(sizeof(bytes), static_cast<size_t>(end - at));
    uint32_t stamp;
    std::memcpy(&stamp, bytes, sizeof(stamp));
    control->released.store(stamp & 0x7f);
    ++index;
    if ((stamp >> 31) == 0) std::memcpy(bytes, &index, sizeof(index));
    std::memcpy(slot->bytes(), bytes, sizeof(bytes));

    RingSlot* own_slot;
    char* own_data;
    if (writer.TryReserve({}, stamp >> 8 & 0x3ff, own_slot, own_data) == RingWriter::Result::kOk) {
      std::memset(own_data, 1, stamp >> 8 & 0x3ff);
      (void)writer.Commit(own_slot);
    }
    Frame frame;
    switch (reader.TryNext(frame)) {
      case RingReader::Next::kFrame:
        Check(ValidateFrameHeader(frame.header, geometry.max_frame()).ok());
        for (uint32_t i = 0; i < frame.header.length; ++i) {
          static_cast<void>(*static_cast<volatile const char*>(frame.payload + i));
        }
        (void)reader.Release();
        break;
      case RingReader::Next::kBroken:
        Check(absl::IsDataLoss(reader.WhatIsBroken()));
        return;
      case RingReader::Next::kEmpty:
        break;
    }
  }
}

}  // namespace
}  // namespace ferry::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if ((data[0] & 0x40) != 0) {
    ferry::internal::FuzzGreeting(data, size);
  } else {
    ferry::internal::FuzzRegion(data, size);
  }
  return 0;
}
