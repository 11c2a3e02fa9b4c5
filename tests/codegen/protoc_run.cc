// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/codegen/protoc_run.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>

namespace ferry::codegen {

Result RunProgram(const std::vector<std::string>& arguments) {
  std::string command;
  for (const std::string& argument : arguments) command += "'" + argument + "' ";
  FILE* pipe = popen((command + "2>&1").c_str(), "r");
  if (!pipe) return {-1, "cannot run " + command};
  std::string output;
  for (int c; (c = fgetc(pipe)) != EOF;) output += static_cast<char>(c);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

void ProtocTest::SetUp() {
  std::string path = testing::TempDir() + "ferry_codegen_XXXXXX";
  ASSERT_NE(mkdtemp(path.data()), nullptr) << path;
  out_ = path;
}

void ProtocTest::TearDown() { std::filesystem::remove_all(out_); }

Result ProtocTest::Protoc(const std::filesystem::path& folder, const std::string& proto,
                          const std::string& flag) {
  return RunProgram({FERRY_PROTOC, "-I", folder.string(), "-I", FERRY_IMPORTS,
                     std::string("--plugin=protoc-gen-ferry=") + FERRY_PLUGIN, flag,
                     "--ferry_out=" + out_.string(), proto});
}

}  // namespace ferry::codegen
