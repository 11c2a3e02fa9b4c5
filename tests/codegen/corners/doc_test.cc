// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/doc_table.h"

namespace {

TEST(DocTest, ListsTheCorners) {
  std::set<std::string> here;
  const testing::UnitTest& program = *testing::UnitTest::GetInstance();
  for (int i = 0; i < program.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *program.GetTestSuite(i);
    if (suite.name() == std::string("DocTest")) continue;
    for (int j = 0; j < suite.total_test_count(); ++j) {
      here.insert(std::string(suite.name()) + "." + suite.GetTestInfo(j)->name());
    }
  }
  std::set<std::string> documented;
  for (const auto& row : ferry::test::DocTable("docs/generated_code.md", "## Corners"))
    documented.insert(row.back());
  EXPECT_EQ(documented, here);
}

}  // namespace
