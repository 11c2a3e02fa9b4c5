// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/options.h"

#include <gtest/gtest.h>

namespace ferry::codegen {
namespace {

std::string ErrorOf(const std::string& parameter) {
  Options options;
  return ParseOptions(parameter, options);
}

TEST(ParseOptionsTest, NoneAreNeeded) {
  Options options;
  EXPECT_EQ(ParseOptions("", options), "");
  EXPECT_EQ(options.services_namespace, "");
}

TEST(ParseOptionsTest, ReadsTheNamespace) {
  Options options;
  EXPECT_EQ(ParseOptions("services_namespace=rpc2", options), "");
  EXPECT_EQ(options.services_namespace, "rpc2");
}

TEST(ParseOptionsTest, OnlyNamesOfNamespacesAreAccepted) {
  for (const char* value : {"", "2rpc", "a::b", "a.b", "a b", "class", "errno", "größe"}) {
    EXPECT_EQ(ErrorOf(std::string("services_namespace=") + value),
              std::string("services_namespace=\"") + value +
                  "\": expected the name of a C++ namespace, such as \"rpc\"");
  }
  EXPECT_EQ(ErrorOf("services_namespace"),
            "services_namespace=\"\": expected the name of a C++ namespace, such as \"rpc\"");
}

TEST(ParseOptionsTest, OneValueIsAccepted) {
  EXPECT_EQ(ErrorOf("services_namespace=a,services_namespace=b"),
            "services_namespace is given twice, as \"a\" and as \"b\"");
}

TEST(ParseOptionsTest, MocksAreWantedOrNot) {
  Options options;
  EXPECT_FALSE(options.generate_mocks);
  EXPECT_EQ(ParseOptions("generate_mocks=true", options), "");
  EXPECT_TRUE(options.generate_mocks);
  EXPECT_EQ(ParseOptions("generate_mocks=false", options), "");
  EXPECT_FALSE(options.generate_mocks);
  EXPECT_EQ(ErrorOf("generate_mocks"), "generate_mocks=\"\": expected true or false");
  EXPECT_EQ(ErrorOf("generate_mocks=yes"), "generate_mocks=\"yes\": expected true or false");
}

TEST(ParseOptionsTest, UnknownNamesAreRefused) {
  EXPECT_EQ(ErrorOf("services_namespace=a,colour=red"),
            "unknown option \"colour\"; there are: generate_mocks=true, services_namespace=NAME");
}

}  // namespace
}  // namespace ferry::codegen
