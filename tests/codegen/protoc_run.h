// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_CODEGEN_PROTOC_RUN_H_
#define FERRY_TESTS_CODEGEN_PROTOC_RUN_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::codegen {

struct Result {
  int exit_code;
  std::string output;  // stdout and stderr
};

Result RunProgram(const std::vector<std::string>& arguments);

// A fresh folder for what protoc writes; removed at the end of the test.
class ProtocTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Runs protoc with protoc-gen-ferry, as a user's build does, on `proto`, which is
  // relative to `folder`.
  Result Protoc(const std::filesystem::path& folder, const std::string& proto,
                const std::string& flag = "--ferry_opt=");

  std::filesystem::path out_;
};

}  // namespace ferry::codegen

#endif  // FERRY_TESTS_CODEGEN_PROTOC_RUN_H_
