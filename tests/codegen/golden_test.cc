// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs protoc with protoc-gen-ferry as a user's build does. golden/NAME.proto
// must give the committed golden/NAME.ferry.{h,cc}.expected; bad/NAME.proto
// must be refused with the message in its "// REFUSED: " line.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kTests = FERRY_CODEGEN_TESTS;

struct Result {
  int exit_code;
  std::string output;  // stdout and stderr
};

std::string Quoted(const std::string& argument) { return "'" + argument + "'"; }

Result RunProgram(const std::vector<std::string>& arguments) {
  std::string command;
  for (const std::string& argument : arguments) command += Quoted(argument) + " ";
  FILE* pipe = popen((command + "2>&1").c_str(), "r");
  if (!pipe) return {-1, "cannot run " + command};
  std::string output;
  for (int c; (c = fgetc(pipe)) != EOF;) output += static_cast<char>(c);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

// A fresh folder for what protoc writes; removed at the end of the test.
class CodegenTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "ferry_codegen_XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr) << path;
    out_ = path;
  }
  void TearDown() override { fs::remove_all(out_); }

  // protoc on `proto`, which is relative to `folder`. `flag` is the plugin's
  // parameter.
  Result Protoc(const fs::path& folder, const std::string& proto, const std::string& flag = "") {
    const std::string prefix = flag.empty() ? "" : flag + ":";
    return RunProgram({FERRY_PROTOC, "-I", folder.string(), "-I", FERRY_IMPORTS,
                       std::string("--plugin=protoc-gen-ferry=") + FERRY_PLUGIN,
                       "--ferry_out=" + prefix + out_.string(), proto});
  }

  fs::path out_;
};

class GoldenTest : public CodegenTest, public testing::WithParamInterface<const char*> {};

TEST_P(GoldenTest, OutputIsTheCommittedOne) {
  const std::string name = GetParam();
  const Result result = Protoc(kTests / "golden", name + ".proto");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const std::string suffix : {".ferry.h", ".ferry.cc"}) {
    const fs::path actual = out_ / (name + suffix);
    const fs::path expected = kTests / "golden" / (name + suffix + ".expected");
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

std::string RefusalIn(const fs::path& proto) {
  const std::string mark = "// REFUSED: ";
  std::ifstream file(proto);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, mark.size(), mark) == 0) return line.substr(mark.size());
  }
  return "no REFUSED line in the file";
}

using BadInputTest = CodegenTest;

TEST_F(BadInputTest, IsRefusedWithTheMessageInTheFile) {
  for (const fs::directory_entry& entry : fs::directory_iterator(kTests / "bad")) {
    const std::string proto = entry.path().filename().string();
    SCOPED_TRACE(proto);
    const Result result = Protoc(kTests / "bad", proto);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(result.output, "--ferry_out: " + proto + ": " + RefusalIn(entry.path()) + "\n");
    EXPECT_TRUE(fs::is_empty(out_));
  }
}

TEST_F(CodegenTest, UnknownParameterIsRefusedByName) {
  const Result result = Protoc(kTests / "golden", "small.proto", "colour=red");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_EQ(result.output,
            "--ferry_out: small.proto: unknown parameter \"colour\": "
            "protoc-gen-ferry accepts "
            "no parameters yet\n");
}

// The first line of the file that begins with `start`.
std::string LineOf(const fs::path& path, const std::string& start) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, start.size(), start) == 0) return line;
  }
  return "";
}

TEST_F(CodegenTest, EqualFileNamesInTwoFoldersHaveDifferentIncludeGuards) {
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
