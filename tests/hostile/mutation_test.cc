// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Random attacks on a transport, as many as $HOSTILE_MUTATIONS. Whatever happens it stays
// within its bounds, comes back from every call, and says at the end what was wrong.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/hostile/mutator.h"
#include "tests/hostile/victim.h"

namespace ferry::test {
namespace {

uint64_t MutationsWanted() {
  const char* given = std::getenv("HOSTILE_MUTATIONS");
  return given != nullptr ? std::strtoull(given, nullptr, 0) : 100000;
}

class MutationTest : public testing::Test {
 protected:
  void SetUp() override {
    ExpectHonestConnectionToWork();  // what it keeps is no leak
    before_ = Holdings::Now();
  }
  void TearDown() override {
    ExpectHonestConnectionToWork();
    EXPECT_EQ(Holdings::Now(), before_);
    std::printf("%llu mutations, %llu connections, %llu frames got through; ended by:\n",
                static_cast<unsigned long long>(mutations_),
                static_cast<unsigned long long>(connections_),
                static_cast<unsigned long long>(frames_));
    for (const auto& [reason, count] : reasons_) std::printf("%9d  %s\n", count, reason.c_str());
  }

  // The next, each fourth of which believes its peer.
  void Meet(Victim::Payloads& payloads, Duel& duel) {
    bool trusted = ++connections_ % 4 == 0;
    payloads = trusted ? Victim::Payloads::kInPlace : Victim::Payloads::kCopied;
    ShmOptions options;
    options.ring = kSmallRing;
    options.trusted = trusted;
    duel = MakeDuel(options);
    duel.attacker->Greet();
  }

  // An end stays one, whatever the attacker does then.
  void Part(Victim& victim, RawPeer& attacker, Random& random) {
    Mutator mutator(attacker, random);
    for (int i = 0; i < 8; ++i) {
      mutations_ += mutator.Mutate();
      victim.Read(2);
    }
    attacker.Hang();
    absl::Status reason = victim.EndsWith();
    // Without the numbers.
    std::string text = reason.ToString().substr(0, 48);
    ++reasons_[text.substr(0, text.find_first_of("0123456789"))];
    frames_ += victim.frames();
  }

  Watchdog watchdog_;
  uint64_t mutations_ = 0;
  uint64_t connections_ = 0;
  uint64_t frames_ = 0;
  std::map<std::string, int> reasons_;
  Holdings before_;
};

// One thread: the same seed does the same again.
TEST_F(MutationTest, WhateverAPeerWritesTheOtherEndsCleanly) {
  Random random(HostileSeed());
  while (mutations_ < MutationsWanted() && !HasFailure()) {
    Duel duel;
    Victim::Payloads payloads;
    Meet(payloads, duel);
    Mutator mutator(*duel.attacker, random);
    Victim victim(std::move(duel.victim), watchdog_, payloads);
    uint64_t enough = mutations_ + 1 + Below(random, 2000);
    bool open = true;
    while (open && mutations_ < enough) {
      for (uint64_t i = Below(random, 8); i > 0; --i) mutations_ += mutator.Mutate();
      open = victim.Step(random);
    }
    Part(victim, *duel.attacker, random);
  }
  EXPECT_GT(frames_, connections_) << "the attacks are too crude to get anywhere";
}

// Two threads, one of which changes what the other is reading: mostly such that a reader
// which reads each word once does not notice.
TEST_F(MutationTest, WhateverChangesWhileItIsReadTheReaderIsConsistent) {
  Random random(HostileSeed());
  const uint64_t rounds = MutationsWanted() / 5000;
  for (uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    Duel duel;
    Victim::Payloads payloads;
    Meet(payloads, duel);
    std::atomic<bool> stop{false};
    const bool gently = Below(random, 4) != 0;
    std::thread attack([&, attacker = duel.attacker.get(), seed = random()] {
      Random own_random(seed);
      Mutator mutator(*attacker, own_random);
      FrameHeader header;
      header.type = static_cast<FrameType>(kFirstSkippableType);
      const std::string payload(1000, 'x');
      while (!stop) {
        while (attacker->HasSlot()) attacker->Put(header, payload);
        for (int i = 0; i < 8; ++i) mutations_ += mutator.MutateUnderTheReader();
        if (!gently) mutations_ += mutator.Mutate();
      }
    });
    Victim victim(std::move(duel.victim), watchdog_, payloads);
    for (int i = 0; i < 20000 && victim.frames() < 300 && victim.Step(random); ++i) {
    }
    stop = true;
    attack.join();
    Part(victim, *duel.attacker, random);
  }
  EXPECT_GT(frames_, connections_) << "the attacks are too crude to get anywhere";
}

}  // namespace
}  // namespace ferry::test
