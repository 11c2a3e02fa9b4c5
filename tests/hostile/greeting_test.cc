// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What a peer may send on the socket, instead of a greeting and after it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/hostile/raw_peer.h"
#include "tests/hostile/victim.h"

namespace ferry::test {
namespace {

using internal::RingGeometry;
using internal::UniqueFd;

constexpr uint32_t kHugeRing = 64 << 20;

class GreetingTest : public testing::Test {
 protected:
  void SetUp() override {
    ExpectHonestConnectionToWork();
    before_ = Holdings::Now();
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
  void TearDown() override {
    victim_.reset();
    duel_ = {};
    EXPECT_EQ(Holdings::Now(), before_);
    ExpectHonestConnectionToWork();
  }

  RawPeer& attacker() { return *duel_.attacker; }
  void ExpectEnd(absl::StatusCode code, const std::string& part) {
    absl::Status end = victim_->EndsWith();
    EXPECT_EQ(end.code(), code) << end;
    EXPECT_NE(end.message().find(part), absl::string_view::npos) << end;
  }
  void ExpectBroken(const std::string& part) { ExpectEnd(absl::StatusCode::kDataLoss, part); }
  void ExpectOpen() { EXPECT_TRUE(victim_->Read(100)); }

  // An honest greeting but for its descriptors.
  void GreetWith(const std::vector<int>& fds) { attacker().Greet(attacker().honest(), fds); }
  // That, and how it ends.
  void ExpectRefused(int fd, const std::string& part) {
    UniqueFd memory(fd);
    ASSERT_TRUE(memory.valid());
    GreetWith({memory.get()});
    ExpectBroken(part);
  }

  Watchdog watchdog_;
  Holdings before_;
  Duel duel_;
  std::optional<Victim> victim_;
};

TEST_F(GreetingTest, OfAnHonestPeerIsTaken) {
  attacker().Greet();
  FrameHeader header;
  header.type = FrameType::kReply;
  attacker().Put(header, "hello");
  EXPECT_TRUE(victim_->Read(100));
  EXPECT_EQ(victim_->frames(), 1u);
  attacker().Hang();
  ExpectEnd(absl::StatusCode::kUnavailable, "the attacker [ring=16KiB] closed the connection");
}

TEST_F(GreetingTest, WithAnotherMagicIsBroken) {
  RawGreeting greeting = attacker().honest();
  greeting.magic ^= 1;
  attacker().Greet(greeting, {attacker().memory().fd()});
  ExpectBroken("broken greeting: the peer does not speak ferry");
}

TEST_F(GreetingTest, WithAnotherVersionIsBroken) {
  RawGreeting greeting = attacker().honest();
  greeting.version = 2;
  attacker().Greet(greeting, {attacker().memory().fd()});
  ExpectBroken("broken greeting: layout 2 of shared memory, expected 1");
}

TEST_F(GreetingTest, OfAnImpossibleGeometryIsBroken) {
  const struct {
    uint32_t slots, ring;
  } kBad[] = {{0, 4096},
              {1, 4096},
              {3, 4096},
              {64, 0},
              {64, 4095},
              {64, 4097},
              {8192, 4096},
              {64, 1 << 30},
              {~uint32_t{0}, ~uint32_t{0}},
              {uint32_t{1} << 31, 4096},
              {64, kHugeRing + 4096}};
  for (const auto& bad : kBad) {
    RawGreeting greeting = attacker().honest();
    greeting.slots = bad.slots;
    greeting.ring = bad.ring;
    attacker().Greet(greeting, {attacker().memory().fd()});
    ExpectBroken(absl::StrCat("a ring of ", bad.ring, " bytes and ", bad.slots, " slots"));
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
}

TEST_F(GreetingTest, ThatDoesNotFitItsMemoryIsBroken) {
  for (int by : {-1, 1}) {
    RawGreeting greeting = attacker().honest();
    greeting.ring += static_cast<uint32_t>(by * 4096);
    attacker().Greet(greeting, {attacker().memory().fd()});
    ExpectBroken("the peer's ring has ");
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
}

TEST_F(GreetingTest, MayComeByteByByte) {
  RawGreeting greeting = attacker().honest();
  const char* bytes = reinterpret_cast<const char*>(&greeting);
  for (size_t i = 0; i < sizeof(greeting); ++i) {
    std::vector<int> fds;
    if (i == 5) fds = {attacker().memory().fd()};
    ASSERT_EQ(attacker().SendBytes(bytes + i, 1, fds), 1);
    EXPECT_TRUE(victim_->Read(2));
  }
  attacker().Put({}, "", internal::RingSlot::kAbandoned);
  ExpectOpen();
}

TEST_F(GreetingTest, WithADescriptorAtEachByteIsBroken) {
  RawGreeting greeting = attacker().honest();
  for (size_t i = 0; i < sizeof(greeting); ++i) {
    attacker().SendBytes(reinterpret_cast<const char*>(&greeting) + i, 1,
                         {attacker().memory().fd()});
  }
  ExpectBroken("broken greeting: more than one descriptor");
}

TEST_F(GreetingTest, ThatNeverComesKeepsNobodyBusy) {
  ExpectOpen();
  EXPECT_EQ(victim_->frames(), 0u);
}

TEST_F(GreetingTest, ThatBreaksOffIsTheEnd) {
  RawGreeting greeting = attacker().honest();
  attacker().SendBytes(&greeting, 20, {attacker().memory().fd()});
  ExpectOpen();
  attacker().Hang();
  ExpectEnd(absl::StatusCode::kUnavailable, "closed the connection");
}

TEST_F(GreetingTest, TwiceIsABrokenDoorbell) {
  attacker().Greet();
  attacker().Greet();
  ExpectBroken("broken doorbell: byte ");
}

TEST_F(GreetingTest, IsFollowedByNothingButZeros) {
  attacker().Greet();
  attacker().SendBytes("\0\0\0\7", 4);
  ExpectBroken("broken doorbell: byte 7, expected 0");
}

TEST_F(GreetingTest, MayBeFollowedByAFloodOfRings) {
  attacker().Greet();
  const std::string rings(4096, '\0');
  for (int i = 0; i < 1000; ++i) {
    while (attacker().SendBytes(rings.data(), rings.size()) > 0) {
    }
    EXPECT_TRUE(victim_->Read(20));
  }
}

TEST_F(GreetingTest, MayBeFollowedByDescriptorsWhichNobodyTakes) {
  attacker().Greet();
  for (int i = 0; i < 1000; ++i) {
    attacker().SendBytes("", 1, std::vector<int>(30, attacker().memory().fd()));
    EXPECT_TRUE(victim_->Read(2));
  }
}

TEST_F(GreetingTest, BeforeAHalfCloseStillEnds) {
  attacker().Greet();
  shutdown(attacker().socket(), SHUT_WR);
  ExpectEnd(absl::StatusCode::kUnavailable, "closed the connection");
}

// It could not be woken: better the end than a sleep for ever.
TEST_F(GreetingTest, OfAPeerThatReadsNoRingsIsTheEnd) {
  attacker().Greet();
  shutdown(attacker().socket(), SHUT_RD);
  attacker().control().wake_at_slot = 0;
  Random random(1);
  for (int i = 0; i < 1000; ++i) victim_->Step(random);
  ExpectEnd(absl::StatusCode::kUnavailable, "closed the connection");
}

TEST_F(GreetingTest, WithoutDescriptorIsBroken) {
  GreetWith({});
  ExpectBroken("broken greeting: it carries no memory");
}

TEST_F(GreetingTest, WithSeveralDescriptorsIsBroken) {
  for (size_t count : {2u, 8u}) {
    GreetWith(std::vector<int>(count, attacker().memory().fd()));
    ExpectBroken("broken greeting: more than one descriptor");
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
}

TEST_F(GreetingTest, WithAsManyDescriptorsAsCanBeIsRefused) {
  for (size_t count : {30u, 253u}) {
    GreetWith(std::vector<int>(count, attacker().memory().fd()));
    ExpectEnd(absl::StatusCode::kResourceExhausted, "shared memory: it could not be received");
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
}

TEST_F(GreetingTest, LackingASealIsBroken) {
  for (int lacking : {0x1, 0x2, 0x4, 0x10, kAllSeals}) {
    RawMemory memory(attacker().geometry().size(), kAllSeals & ~lacking);
    GreetWith({memory.fd()});
    ExpectBroken("is not memory that is sealed for readers");
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
}

TEST_F(GreetingTest, WithMemoryOfAnotherSizeIsBroken) {
  for (size_t size :
       {size_t{0}, size_t{1}, attacker().geometry().size() - 4096, attacker().geometry().size() - 1,
        attacker().geometry().size() + 1, attacker().geometry().size() + 4096, size_t{1} << 40}) {
    UniqueFd memory(memfd_create("odd", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(ftruncate(memory.get(), static_cast<off_t>(size)), 0);
    ASSERT_EQ(fcntl(memory.get(), F_ADD_SEALS, kAllSeals), 0);
    GreetWith({memory.get()});
    ExpectBroken(absl::StrCat("the peer's ring has ", size, " bytes, expected "));
    duel_ = MakeDuel();
    victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  }
}

TEST_F(GreetingTest, WithMemoryThatCannotBeReadIsBroken) {
  std::string path = absl::StrCat("/proc/self/fd/", attacker().memory().fd());
  ExpectRefused(open(path.c_str(), O_WRONLY | O_CLOEXEC), "the peer's ring cannot be read");
}

TEST_F(GreetingTest, WithMemoryThatIsOnlyAPathIsBroken) {
  std::string path = absl::StrCat("/proc/self/fd/", attacker().memory().fd());
  ExpectRefused(open(path.c_str(), O_PATH | O_CLOEXEC), "is not memory that is sealed");
}

TEST_F(GreetingTest, WithAnOrdinaryFileIsBroken) {
  FILE* file = tmpfile();
  ASSERT_EQ(ftruncate(fileno(file), static_cast<off_t>(attacker().geometry().size())), 0);
  ExpectRefused(dup(fileno(file)), "is not memory that is sealed");
  fclose(file);
}

TEST_F(GreetingTest, WithAPipeIsBroken) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd writing(ends[1]);
  ExpectRefused(ends[0], "is not memory that is sealed");
}

TEST_F(GreetingTest, WithAFolderIsBroken) {
  ExpectRefused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "is not memory that is sealed");
}

TEST_F(GreetingTest, WithADeviceIsBroken) {
  ExpectRefused(open("/dev/zero", O_RDWR | O_CLOEXEC), "is not memory that is sealed");
}

TEST_F(GreetingTest, WithItsOwnSocketIsBroken) {
  ExpectRefused(dup(attacker().socket()), "is not memory that is sealed");
}

// A hole of them would be a SIGBUS when they have run out.
TEST_F(GreetingTest, WithHugePagesIsBroken) {
  UniqueFd memory(memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
  RawGreeting greeting = attacker().honest();
  greeting.slots = 64;
  greeting.ring = (2 << 20) - 8192;
  ASSERT_EQ((RingGeometry{greeting.ring, greeting.slots}.size()), size_t{2} << 20);
  if (!memory.valid() || ftruncate(memory.get(), 2 << 20) != 0 ||
      fcntl(memory.get(), F_ADD_SEALS, kAllSeals) != 0) {
    GTEST_SKIP() << "no huge pages here";
  }
  attacker().Greet(greeting, {memory.get()});
  ExpectBroken("the peer's ring is not ordinary memory");
}

TEST_F(GreetingTest, WithMemoryFullOfHolesCostsLittle) {
  duel_ = MakeDuel({kSmallRing}, kHugeRing);
  victim_.emplace(std::move(duel_.victim), watchdog_, Victim::Payloads::kCopied);
  attacker().Greet();
  // The payload's own memory is never touched by its writer.
  constexpr uint32_t kLength = 1 << 20;
  FrameHeader header;
  header.type = FrameType::kReply;
  internal::RingSlot& slot = attacker().slot(0);
  header.length = kLength;
  char bytes[kFrameHeaderSize];
  EncodeFrameHeader(header, bytes);
  std::memcpy(slot.bytes() + internal::RingSlot::kHeader, bytes, sizeof(bytes));
  std::memcpy(slot.bytes() + internal::RingSlot::kPayload, &kLength, sizeof(kLength));
  slot.words[0] = internal::RingSlot::Commit(1, kLength);

  EXPECT_TRUE(victim_->Read(1));
  Frame frame;
  ASSERT_EQ(victim_->transport().TryRead(frame), ReadResult::kFrame);
  EXPECT_EQ(std::string(frame.payload, kLength), std::string(kLength, '\0'));
  victim_->transport().Release();
  struct stat status;
  ASSERT_EQ(fstat(attacker().memory().fd(), &status), 0);
  EXPECT_LE(status.st_blocks * 512, 2 * int64_t{kLength});
}

}  // namespace
}  // namespace ferry::test
