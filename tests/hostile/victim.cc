// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/hostile/victim.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "ferry/transport/shm_transport.h"
#include "tests/hostile/raw_peer.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {
namespace {

constexpr std::chrono::milliseconds kLook{10};
constexpr int kStuckAfterLooks = 3000;

// Reads each byte, so that a sanitizer sees one that is not there.
uint64_t SumOf(const Frame& frame) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < frame.header.length; ++i) {
    sum = sum * 31 + static_cast<volatile const unsigned char*>(
                         reinterpret_cast<const unsigned char*>(frame.payload))[i];
  }
  return sum;
}

}  // namespace

uint64_t HostileSeed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("HOSTILE_SEED");
    uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
    std::printf("HOSTILE_SEED=%llu\n", static_cast<unsigned long long>(value));
    std::fflush(stdout);
    return value;
  }();
  return seed;
}

Watchdog::Watchdog() {
  thread_ = std::thread([this] {
    uint64_t before = 0;
    for (int idle = 0; !done_; std::this_thread::sleep_for(kLook)) {
      uint64_t now = beats_.load(std::memory_order_relaxed);
      idle = now == before ? idle + 1 : 0;
      before = now;
      if (idle < kStuckAfterLooks) continue;
      std::fprintf(stderr, "stuck after %llu steps; HOSTILE_SEED=%llu\n",
                   static_cast<unsigned long long>(now),
                   static_cast<unsigned long long>(HostileSeed()));
      std::abort();
    }
  });
}

Watchdog::~Watchdog() {
  done_ = true;
  thread_.join();
}

Victim::Victim(std::unique_ptr<Transport> transport, Watchdog& watchdog, Payloads payloads)
    : transport_(std::move(transport)), watchdog_(watchdog), payloads_(payloads) {}

ReadResult Victim::ReadOne() {
  Frame frame;
  ReadResult result = transport_->TryRead(frame);
  watchdog_.Beat();
  if (result == ReadResult::kClosed) closed_ = true;
  if (result != ReadResult::kFrame) return result;
  EXPECT_FALSE(closed_) << "a frame came after the end";
  EXPECT_TRUE(ValidateFrameHeader(frame.header, kSmallRing / 4).ok());
  uint64_t sum = SumOf(frame);
  // What was copied is nobody's to change any more.
  if (payloads_ == Payloads::kCopied) {
    EXPECT_EQ(SumOf(frame), sum);
  }
  ++frames_;
  transport_->Release();
  return result;
}

void Victim::Look() {
  WaitOptions look;
  look.deadline = Deadline::min();
  transport_->Wait(look);
  watchdog_.Beat();
}

void Victim::Send(Random& random) {
  FrameHeader header;
  header.type = FrameType::kReply;
  header.call.value = 4;
  // Seldom one that does not fit into a frame.
  constexpr size_t kBounds[] = {36, 36, 36, 300, 300, 300, 4096, 20000};
  size_t size = Below(random, kBounds[Below(random, 8)] + 1);
  Reservation reservation;
  if (transport_->Reserve(header, size, reservation) != ReserveResult::kOk) return;
  std::memset(reservation.data, 7, size);
  if (Below(random, 8) == 0) {
    transport_->Abandon(reservation);
  } else {
    transport_->Commit(reservation);
  }
  transport_->Flush(Deadline::min());
  watchdog_.Beat();
}

bool Victim::Step(Random& random) {
  switch (Below(random, 8)) {
    case 0:
    case 1:
      Send(random);
      break;
    case 2:
      transport_->Poll();
      break;
    case 3:
      Look();
      break;
    case 4:
      if (Below(random, 64) == 0) {
        WaitOptions wait;
        wait.deadline = DeadlineAfter(absl::Microseconds(50));
        transport_->Wait(wait);
      }
      break;
    default:
      return Read(static_cast<int>(Below(random, 8)));
  }
  return ReadOne() != ReadResult::kClosed;
}

bool Victim::Read(int steps) {
  for (int i = 0; i < steps; ++i) {
    ReadResult result = ReadOne();
    if (result == ReadResult::kClosed) return false;
    if (result == ReadResult::kEmpty) Look();
  }
  return true;
}

absl::Status Victim::EndsWith() {
  EXPECT_FALSE(Read(kManySteps)) << "it goes on and on";
  ExpectClosedCleanly();
  return transport_->close_reason();
}

void Victim::ExpectClosedCleanly() {
  absl::Status reason = transport_->close_reason();
  EXPECT_TRUE(absl::IsDataLoss(reason) || absl::IsUnavailable(reason) ||
              absl::IsResourceExhausted(reason))
      << reason;
  EXPECT_GE(reason.message().size(), 10u) << reason;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReadOne(), ReadResult::kClosed);
    Look();
  }
  Reservation reservation;
  EXPECT_EQ(transport_->Reserve({}, 100, reservation), ReserveResult::kClosed);
  EXPECT_EQ(transport_->close_reason(), reason);
}

Holdings Holdings::Now() {
  Holdings now;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++now.descriptors;
  closedir(folder);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:") != line.npos) ++now.mappings;
  }
  return now;
}

void PrintTo(const Holdings& holdings, std::ostream* out) {
  *out << holdings.descriptors << " descriptors, " << holdings.mappings << " mappings";
}

void ExpectHonestConnectionToWork() {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  std::unique_ptr<Transport> pair[2];
  for (int i : {0, 1}) {
    auto outgoing = ShmTransport::MakeOutgoing({});
    ASSERT_TRUE(outgoing.ok()) << outgoing.status();
    auto made = ShmTransport::Create(internal::UniqueFd(ends[i]), *std::move(outgoing), {},
                                     {"an honest peer"}, nullptr);
    ASSERT_TRUE(made.ok()) << made.status();
    pair[i] = *std::move(made);
  }
  Frames at[] = {Frames(*pair[0]), Frames(*pair[1])};
  for (int i : {0, 1}) {
    SendMessage(*pair[i], 1, "as ever");
    EXPECT_EQ(at[1 - i].Next(), "as ever");
  }
}

}  // namespace ferry::test
