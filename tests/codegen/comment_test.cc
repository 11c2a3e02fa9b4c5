// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/comment.h"

#include <gtest/gtest.h>

namespace ferry::codegen {
namespace {

TEST(CommentLinesTest, EachLineBecomesAComment) {
  EXPECT_EQ(CommentLines(" one\n two\n"), "// one\n// two\n");
}

TEST(CommentLinesTest, BlankLinesStayOnlyBetweenLines) {
  EXPECT_EQ(CommentLines("\n one\n\n  \n two\n \n"), "// one\n//\n//\n// two\n");
  EXPECT_EQ(CommentLines(""), "");
  EXPECT_EQ(CommentLines(" \n\n"), "");
}

TEST(CommentLinesTest, NoLineContinuesOnTheNext) {
  EXPECT_EQ(CommentLines(" C:\\boats\\\n"), "// C:\\boats\\ .\n");
  EXPECT_EQ(CommentLines(" C:\\boats\\ \r\n"), "// C:\\boats\\ .\n");
  EXPECT_EQ(CommentLines(" what?\?/\n"), "// what?\?/ .\n");
}

TEST(CommentLinesTest, ControlCharactersBecomeSpaces) {
  EXPECT_EQ(CommentLines(" a\rint b;\tc\vd\fe\n"), "// a int b; c d e\n");
  EXPECT_EQ(CommentLines(std::string_view(" a\0b\x7f\n", 6)), "// a b\n");
}

TEST(CommentLinesTest, TextInAnyScriptStays) {
  EXPECT_EQ(CommentLines(" größer 船 🚢\n"), "// größer 船 🚢\n");
}

TEST(CommentLinesTest, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(CommentLines(" gr\xf6\xdf"
                         "er\n"),
            "// gr??er\n");
  EXPECT_EQ(CommentLines(" \xc0\xaf \xed\xa0\x80 \xf5\x80\x80\x80\n"), "// ?? ??? ????\n");
  EXPECT_EQ(CommentLines(" cut \xe8\x88"), "// cut ??\n");
  EXPECT_EQ(CommentLines(" \x80 \xff\n"), "// ? ?\n");
}

TEST(CommentLinesTest, CharactersThatChangeTheDirectionAreReplaced) {
  EXPECT_EQ(CommentLines(" a\u202eb\u2066c\n"), "// a???b???c\n");
}

}  // namespace
}  // namespace ferry::codegen
