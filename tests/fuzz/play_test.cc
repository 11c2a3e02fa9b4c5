// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What the fuzzers of calls begin with, and some of what they make of it. A play that goes wrong
// ends the process.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/call_play.h"
#include "tests/fuzz/served_play.h"

namespace ferry::test {
namespace {

constexpr int kMutants = 20000;

using Random = std::minstd_rand;

// Of two programs one, with some letters of other steps.
std::string Mutant(const std::vector<std::string>& seeds, Random& random) {
  std::string program = seeds[random() % seeds.size()];
  const std::string& other = seeds[random() % seeds.size()];
  if (random() % 2 == 0) program.insert(4 + random() % (program.size() - 3), other.substr(4));
  for (auto changes = random() % 4; changes > 0; --changes) {
    size_t at = random() % program.size();
    if (random() % 3 == 0) {
      program.erase(at, 1);
      if (program.size() < 5) program += other;
    } else {
      program[at] = other[random() % other.size()];
    }
  }
  return program;
}

void PlayAll(const std::vector<std::string>& seeds, void (*play)(std::string_view)) {
  for (const std::string& seed : seeds) {
    SCOPED_TRACE(seed);
    play(seed);
  }
  Random random(1);
  for (int i = 0; i < kMutants; ++i) play(Mutant(seeds, random));
}

TEST(PlayTest, ASessionKeepsToTheContractWhateverItsClientDoes) {
  PlayAll(ServedSeeds(), PlayServed);
}

TEST(PlayTest, AChannelKeepsToTheContractWhateverItsServerDoes) { PlayAll(CallSeeds(), PlayCalls); }

}  // namespace
}  // namespace ferry::test
