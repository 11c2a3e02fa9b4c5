// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/transport_pair.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "ferry/transport/internal/sys.h"
#include "ferry/transport/stream_transport.h"

namespace ferry::test {

TransportPair CreatePipePair(int capacity) {
  int forth[2], back[2];
  EXPECT_EQ(internal::sys::Pipe(forth), 0);
  EXPECT_EQ(internal::sys::Pipe(back), 0);
  if (capacity != 0) {
    EXPECT_EQ(fcntl(forth[1], F_SETPIPE_SZ, capacity), capacity);
    EXPECT_EQ(fcntl(back[1], F_SETPIPE_SZ, capacity), capacity);
  }
  auto a = StreamTransport::Create(internal::UniqueFd(back[0]), internal::UniqueFd(forth[1]),
                                   internal::WriteEnd::Sharing::kOurs, {"b", -1}, nullptr);
  auto b = StreamTransport::Create(internal::UniqueFd(forth[0]), internal::UniqueFd(back[1]),
                                   internal::WriteEnd::Sharing::kOurs, {"a", -1}, nullptr);
  EXPECT_TRUE(a.ok() && b.ok());
  return {*std::move(a), *std::move(b)};
}

void SendMessage(Transport& transport, uint32_t call, const std::string& message) {
  FrameHeader header;
  header.type = FrameType::kRequest;
  header.call.value = call;
  header.method = 1;
  Reservation reservation;
  if (transport.Reserve(header, message.size(), reservation) == ReserveResult::kClosed) return;
  ASSERT_EQ(reservation.size, message.size());
  std::memcpy(reservation.data, message.data(), message.size());
  transport.Commit(reservation);
  transport.Flush(kNoDeadline);
}

bool Frames::Drain() {
  Frame frame;
  for (;;) {
    ReadResult result = transport_.TryRead(frame);
    if (result != ReadResult::kFrame) return result == ReadResult::kEmpty;
    std::string bytes(frame.payload, frame.header.length);
    FrameHeader header = frame.header;
    transport_.Release();
    uint32_t call = header.call.value;
    auto begun = std::find_if(partial_.begin(), partial_.end(),
                              [&](const Message& message) { return message.call == call; });
    if (header.type == FrameType::kRequest) {
      EXPECT_TRUE(begun == partial_.end()) << "a message began within one of its call";
      partial_.push_back({call, bytes});
      begun = partial_.end() - 1;
    } else if (begun == partial_.end()) {
      ADD_FAILURE() << "a fragment of nothing";
      continue;
    } else {
      begun->bytes += bytes;
    }
    if ((header.flags & kFlagMore) != 0) continue;
    whole_.push_back(std::move(*begun));
    partial_.erase(begun);
  }
}

std::optional<std::string> Frames::Take() {
  if (whole_.empty()) return std::nullopt;
  Message message = std::move(whole_.front());
  whole_.pop_front();
  call_ = message.call;
  return std::move(message.bytes);
}

std::string Frames::Next() {
  for (;;) {
    bool open = Drain();
    if (std::optional<std::string> message = Take()) return *std::move(message);
    if (!open) return "(closed)";
    WaitOptions wait;
    wait.interruptible = false;
    transport_.Wait(wait);
  }
}

}  // namespace ferry::test
