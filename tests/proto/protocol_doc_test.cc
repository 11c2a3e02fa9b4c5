// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Keeps docs/protocol.md true: its tables and its worked example against frame.h.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "ferry/proto/frame.h"

namespace ferry {
namespace {

using Row = std::vector<std::string>;

std::vector<std::string> DocumentLines() {
  std::ifstream file(FERRY_SOURCE_DIR "/docs/protocol.md");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  EXPECT_FALSE(lines.empty()) << "cannot read docs/protocol.md";
  return lines;
}

Row CellsOf(const std::string& line) {
  absl::string_view text = absl::StripSuffix(absl::StripPrefix(line, "|"), "|");
  Row cells;
  for (absl::string_view cell : absl::StrSplit(text, '|')) {
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  }
  return cells;
}

// The rows of the table under a heading, without its head.
std::vector<Row> TableUnder(const std::string& heading) {
  std::vector<Row> rows;
  bool inside = false;
  for (const std::string& line : DocumentLines()) {
    if (absl::StartsWith(line, "#")) inside = line == heading;
    if (inside && absl::StartsWith(line, "|")) rows.push_back(CellsOf(line));
  }
  EXPECT_GT(rows.size(), 2u) << "no table under: " << heading;
  if (rows.size() > 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

int NumberIn(const std::string& cell) {
  uint32_t number = 0;
  EXPECT_TRUE(absl::SimpleHexAtoi(cell, &number)) << cell;
  return static_cast<int>(number);
}

// The document's REQUEST is FrameTypeName's "request".
std::map<std::string, int> TypesInHeader() {
  std::map<std::string, int> types;
  for (int value = 0; value < kFirstSkippableType; ++value) {
    std::string_view name = FrameTypeName(static_cast<FrameType>(value));
    if (name == "frame of unknown type") continue;
    types[absl::AsciiStrToUpper({name.data(), name.size()})] = value;
  }
  return types;
}

const std::map<std::string, int> kFlagsInHeader = {
    {"MORE", kFlagMore},      {"END", kFlagEnd},           {"EMPTY", kFlagEmpty},
    {"ONE_WAY", kFlagOneWay}, {"TRAILING", kFlagTrailing}, {"ACK", kFlagAck},
};

// A header in which ValidateFrameHeader objects to nothing but the field under test.
FrameHeader PlainHeader(int type) {
  FrameHeader header;
  header.type = static_cast<FrameType>(type);
  if (header.type == FrameType::kHello) header.method = kHelloMagic;
  if (header.type == FrameType::kContinue) header.length = header.arg = 1;
  if (header.type == FrameType::kCredit) header.arg = 1;
  return header;
}

// Whether the header is refused because of a field that its type does not use.
bool MustBeZero(const FrameHeader& header) {
  absl::Status status = ValidateFrameHeader(header, kMaxFrame);
  return absl::EndsWith(status.message(), ", expected 0") ||
         absl::EndsWith(status.message(), " of payload, expected none");
}

TEST(ProtocolDocTest, TypesHaveTheValuesOfTheHeader) {
  std::map<std::string, int> types;
  for (const char* heading :
       {"### From caller to callee", "### From callee to caller", "### On the connection"}) {
    for (const Row& row : TableUnder(heading)) {
      int value = NumberIn(row.at(0));
      auto [known, is_new] = types.emplace(row.at(1), value);
      EXPECT_EQ(known->second, value) << row.at(1) << " has two values";
    }
  }
  EXPECT_EQ(types, TypesInHeader());
}

TEST(ProtocolDocTest, FlagsHaveTheValuesOfTheHeader) {
  std::map<std::string, int> flags;
  for (const Row& row : TableUnder("### Flags")) flags[row.at(1)] = NumberIn(row.at(0));
  EXPECT_EQ(flags, kFlagsInHeader);
}

TEST(ProtocolDocTest, EachTypeMayCarryTheFlagsOfItsRow) {
  for (const Row& row : TableUnder("### Fields by type")) {
    SCOPED_TRACE(row.at(0));
    int documented = 0;
    if (row.at(1) != "-") {
      for (absl::string_view flag : absl::StrSplit(row.at(1), ' ')) {
        documented |= kFlagsInHeader.at(std::string(flag));
      }
    }
    int allowed = 0;
    for (int flag = 1; flag < 0x100; flag <<= 1) {
      FrameHeader header = PlainHeader(TypesInHeader().at(row.at(0)));
      header.flags = static_cast<uint8_t>(flag);
      absl::Status status = ValidateFrameHeader(header, kMaxFrame);
      if (!absl::StrContains(status.message(), "expected none but")) allowed |= flag;
    }
    EXPECT_EQ(documented, allowed);
  }
}

TEST(ProtocolDocTest, EachTypeUsesTheFieldsOfItsRow) {
  std::set<std::string> documented;
  for (const Row& row : TableUnder("### Fields by type")) {
    SCOPED_TRACE(row.at(0));
    documented.insert(row.at(0));
    const FrameHeader plain = PlainHeader(TypesInHeader().at(row.at(0)));
    ASSERT_EQ(ValidateFrameHeader(plain, kMaxFrame), absl::OkStatus());
    FrameHeader call = plain, aux = plain, method = plain, arg = plain, payload = plain;
    call.call = CallId::Make(0, 0, 1);
    aux.aux = 1;
    method.method = plain.method == 0 ? 1 : plain.method;
    arg.arg = 1;
    payload.length = 1;
    EXPECT_EQ(row.at(2) == "-", MustBeZero(call));
    EXPECT_EQ(row.at(3) == "-", MustBeZero(aux));
    EXPECT_EQ(row.at(4) == "-", MustBeZero(method));
    EXPECT_EQ(row.at(5) == "-", MustBeZero(arg));
    EXPECT_EQ(row.at(6) == "-", MustBeZero(payload));
  }
  std::set<std::string> expected;
  for (const auto& [name, value] : TypesInHeader()) expected.insert(name);
  EXPECT_EQ(documented, expected);
}

// The bytes of a line like "15 00 0a"; none for any other line.
std::string BytesIn(absl::string_view line) {
  std::string bytes;
  for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    uint32_t byte = 0;
    if (word.size() != 2 || !absl::SimpleHexAtoi(word, &byte)) return "";
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

std::string Encoded(const FrameHeader& header) {
  std::string bytes(kFrameHeaderSize, '\0');
  EncodeFrameHeader(header, bytes.data());
  return bytes;
}

TEST(ProtocolDocTest, WorkedExampleHasTheBytesOfTheHeader) {
  std::vector<std::string> headers, payloads;
  for (const std::string& line : DocumentLines()) {
    absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    if (absl::ConsumePrefix(&text, "payload: ")) payloads.push_back(BytesIn(text));
    if (std::string bytes = BytesIn(text); bytes.size() == kFrameHeaderSize) {
      headers.push_back(bytes);
    }
  }
  ASSERT_EQ(payloads.size(), 3u);

  FrameHeader hello;
  hello.length = static_cast<uint32_t>(payloads[0].size());
  hello.type = FrameType::kHello;
  hello.method = kHelloMagic;

  FrameHeader request;
  request.length = static_cast<uint32_t>(payloads[1].size());
  request.type = FrameType::kRequest;
  request.flags = kFlagEnd;
  request.call = CallId::Make(0, 0, 1);
  request.method = MethodId("greeter.Greeter/Greet");
  request.arg = 1'000'000;

  FrameHeader reply;
  reply.length = static_cast<uint32_t>(payloads[2].size());
  reply.type = FrameType::kReply;
  reply.call = request.call;
  reply.arg = request.length;

  EXPECT_EQ(headers, std::vector<std::string>({Encoded(hello), Encoded(request), Encoded(reply)}));
}

}  // namespace
}  // namespace ferry
