// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/emitter.h"

#include <gtest/gtest.h>

namespace ferry::codegen {
namespace {

TEST(EmitTest, SharedIndentationAndLastLineAreNotOutput) {
  EXPECT_EQ(Emit(R"(
      class Boat {
        int mast;

      };
      )",
                 {}),
            "class Boat {\n  int mast;\n\n};\n");
}

TEST(EmitTest, HolesWithinALineAreFilled) {
  EXPECT_EQ(Emit("$a$ $b$$a$;\n", {{"a", "x"}, {"b", "y"}}), "x yx;\n");
}

TEST(EmitTest, HoleAloneOnItsLineIndentsEachLine) {
  EXPECT_EQ(Emit(R"(
      {
        $lines$
      }
      )",
                 {{"lines", "one;\n\n  two;"}}),
            "{\n  one;\n\n    two;\n}\n");
}

TEST(EmitTest, HoleWithoutLinesVanishes) {
  EXPECT_EQ(Emit("a\n$none$\nb\n", {{"none", ""}}), "a\nb\n");
}

TEST(EmitTest, WhatFillsAHoleIsNotSearchedForHoles) {
  EXPECT_EQ(Emit("$a$\n-$a$\n", {{"a", "$b$"}, {"b", "wrong"}}), "$b$\n-$b$\n");
}

TEST(EmitTest, DollarsThatAreNoHolesStay) {
  EXPECT_EQ(Emit("$5 $unknown$ $a$ $\n", {{"a", "x"}}), "$5 $unknown$ x $\n");
}

TEST(InNamespaceTest, WrapsCode) {
  EXPECT_EQ(InNamespace("a::b", "int c;\n\n"),
            "namespace a::b {\n\nint c;\n\n}  // namespace a::b\n\n");
}

TEST(InNamespaceTest, IsLeftOutWithoutNameOrCode) {
  EXPECT_EQ(InNamespace("", "int c;\n"), "int c;\n");
  EXPECT_EQ(InNamespace("a", ""), "");
}

}  // namespace
}  // namespace ferry::codegen
