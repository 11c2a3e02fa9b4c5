// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/reserved.h"

#include <gtest/gtest.h>

namespace ferry::codegen {
namespace {

TEST(EscapedTest, NamesStay) {
  for (const char* name : {"Greet", "greet", "new_", "R", "Get2", "getURL", "final", "import"}) {
    EXPECT_EQ(Escaped(name), name);
  }
}

TEST(EscapedTest, KeywordsOfAnyStandardAreEscaped) {
  EXPECT_EQ(Escaped("register"), "register_");
  EXPECT_EQ(Escaped("char16_t"), "char16_t_");
  EXPECT_EQ(Escaped("concept"), "concept_");
  EXPECT_EQ(Escaped("contract_assert"), "contract_assert_");
}

TEST(EscapedTest, MacrosThatComeAlongAreEscaped) {
  EXPECT_EQ(Escaped("errno"), "errno_");
  EXPECT_EQ(Escaped("unix"), "unix_");
  EXPECT_EQ(Escaped("EOF"), "EOF_");
  EXPECT_EQ(Escaped("E2BIG"), "E2BIG_");
}

TEST(EscapedTest, NamesInCapitalsStay) {
  for (const char* name : {"GET", "DELETE", "ECHO", "BOOL", "EOF_"}) EXPECT_EQ(Escaped(name), name);
}

}  // namespace
}  // namespace ferry::codegen
