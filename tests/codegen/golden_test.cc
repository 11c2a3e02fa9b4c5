// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// golden/NAME.proto must give the committed golden/NAME.ferry.{h,cc}.expected.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/codegen/protoc_run.h"

namespace ferry::codegen {
namespace {

namespace fs = std::filesystem;

const fs::path kGoldens = FERRY_SOURCE_DIR "/tests/codegen/golden";

class GoldenTest : public ProtocTest, public testing::WithParamInterface<const char*> {};

TEST_P(GoldenTest, OutputIsTheCommittedOne) {
  const std::string name = GetParam();
  const Result result = Protoc(kGoldens, name + ".proto");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const std::string suffix : {".ferry.h", ".ferry.cc"}) {
    const fs::path actual = out_ / (name + suffix);
    const fs::path expected = kGoldens / (name + suffix + ".expected");
    if (getenv("FERRY_UPDATE_GOLDENS")) {
      fs::copy_file(actual, expected, fs::copy_options::overwrite_existing);
    }
    const Result diff = RunProgram({"diff", "-u", expected.string(), actual.string()});
    EXPECT_EQ(diff.exit_code, 0) << diff.output
                                 << "If this is intended, run the test with "
                                    "FERRY_UPDATE_GOLDENS=1 and commit the result.";
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, GoldenTest, testing::Values("small", "empty", "full"),
                         [](const auto& test) { return std::string(test.param); });

using IncludeGuardTest = ProtocTest;

// The first line of the file that begins with `start`.
std::string LineOf(const fs::path& path, const std::string& start) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, start.size(), start) == 0) return line;
  }
  return "";
}

TEST_F(IncludeGuardTest, EqualFileNamesInTwoFoldersHaveDifferentIncludeGuards) {
  // The second folder's name is what a naive guard would make of the first
  // path.
  for (const std::string folder : {"a/b", "a_b"}) {
    fs::create_directories(out_ / folder);
    std::ofstream(out_ / folder / "same.proto") << "syntax = \"proto3\";\n";
    const Result result = Protoc(out_, folder + "/same.proto");
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_EQ(LineOf(out_ / "a/b/same.ferry.h", "#ifndef"),
            "#ifndef FERRY_GENERATED_a_2fb_2fsame_2eproto");
  EXPECT_EQ(LineOf(out_ / "a_b/same.ferry.h", "#ifndef"),
            "#ifndef FERRY_GENERATED_a_5fb_2fsame_2eproto");
}

}  // namespace
}  // namespace ferry::codegen
