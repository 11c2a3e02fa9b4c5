// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Keeps docs/generated_code.md true: its code and its errors are what protoc-gen-ferry
// writes. corners/doc_test.cc has its list of corners.

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "tests/codegen/protoc_run.h"
#include "tests/support/doc_table.h"

namespace ferry::codegen {
namespace {

constexpr char kDocument[] = "docs/generated_code.md";

class DocumentTest : public ProtocTest {
 protected:
  Result ProtocOn(const std::string& proto, const std::string& flag = "--ferry_opt=") {
    const std::filesystem::path folder = out_ / "protos";
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "a.proto") << "syntax = \"proto3\";\n" << proto;
    return Protoc(folder, "a.proto", flag);
  }
};

// The code without what a reader does not need: line breaks, and the full names of types.
std::string Simplified(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::string code = std::regex_replace(text.str(), std::regex("::harbour::"), "");
  code = std::regex_replace(code, std::regex("([ (<])::"), "$1");
  code = std::regex_replace(code, std::regex("\\s+"), " ");
  return std::regex_replace(code, std::regex("\\( "), "(");
}

TEST_F(DocumentTest, CodeIsWhatIsGenerated) {
  const Result result = ProtocOn(
      "import \"ferry/proto/options.proto\";"
      "package harbour; message Trip {} message Log {}"
      "service Boat {"
      "  rpc Sail(Trip) returns (Log);"
      "  rpc Follow(Trip) returns (stream Log);"
      "  rpc Report(stream Log) returns (Trip);"
      "  rpc Steer(stream Trip) returns (stream Log);"
      "  rpc Honk(Trip) returns (Log) { option (ferry.one_way) = true; }"
      "}");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string header = Simplified(out_ / "a.ferry.h");
  std::ifstream doc(std::string(FERRY_SOURCE_DIR "/") + kDocument);
  bool inside = false;
  int lines = 0;
  for (std::string line; std::getline(doc, line);) {
    if (line.rfind("```", 0) == 0) inside = line == "```cpp";
    if (!inside || line.empty() || line.front() == '`') continue;
    line = std::regex_replace(line, std::regex("\\s+"), " ").substr(line.front() == ' ');
    EXPECT_NE(header.find(line), header.npos) << line << "\nis not in\n" << header;
    ++lines;
  }
  EXPECT_GT(lines, 10);
}

TEST_F(DocumentTest, ErrorsAreThoseThatAreGiven) {
  const auto rows = test::DocTable(kDocument, "## Errors");
  ASSERT_FALSE(rows.empty());
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 2u) << row.front();
    const std::string& given = row.front();
    SCOPED_TRACE(given);
    const std::string imports = "import \"ferry/proto/options.proto\";";
    const std::string service = imports + "message Number {} service Greeter {" + given + "}";
    const Result result = given.rfind("--", 0) == 0        ? ProtocOn("", given)
                          : given.rfind("package", 0) == 0 ? ProtocOn(given)
                                                           : ProtocOn(service);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(result.output, "--ferry_out: a.proto: " + row.back() + "\n");
    EXPECT_FALSE(std::filesystem::exists(out_ / "a.ferry.h"));
  }
}

}  // namespace
}  // namespace ferry::codegen
