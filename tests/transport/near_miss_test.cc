// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/near_miss.h"

#include <gtest/gtest.h>

namespace ferry::internal {
namespace {

TEST(NearMissTest, DistanceCountsSingleMistakes) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("ring", "ring"), 0u);
  EXPECT_EQ(EditDistance("", "ring"), 4u);
  EXPECT_EQ(EditDistance("rng", "ring"), 1u);
  EXPECT_EQ(EditDistance("rinng", "ring"), 1u);
  EXPECT_EQ(EditDistance("rung", "ring"), 1u);
  EXPECT_EQ(EditDistance("rign", "ring"), 1u);
  EXPECT_EQ(EditDistance("rings", "sring"), 2u);
  EXPECT_EQ(EditDistance("spawn", "pawns"), 2u);
}

TEST(NearMissTest, NamesTheNearest) {
  const std::vector<std::string> known = {"arg", "env", "spin", "ring", "max_message"};
  EXPECT_EQ(NearMiss("args", known), "arg");
  EXPECT_EQ(NearMiss("sping", known), "spin");
  EXPECT_EQ(NearMiss("maxmesage", known), "max_message");
}

TEST(NearMissTest, IsSilentWhenNothingIsNear) {
  const std::vector<std::string> known = {"a", "tcp", "max_message"};
  EXPECT_EQ(NearMiss("b", known), "");
  EXPECT_EQ(NearMiss("", known), "");
  EXPECT_EQ(NearMiss("udt", known), "");
  EXPECT_EQ(NearMiss("max_requests", known), "");
  EXPECT_EQ(NearMiss(std::string(1'000'000, 'x'), known), "");
  EXPECT_EQ(NearMiss("tcp", {}), "");
}

TEST(NearMissTest, AsksWithWhatBelongsToTheName) {
  EXPECT_EQ(DidYouMean("unx", {"shm", "unix"}, ":"), " (did you mean 'unix:'?)");
  EXPECT_EQ(DidYouMean("tcp", {"shm", "unix"}, ":"), "");
}

}  // namespace
}  // namespace ferry::internal
