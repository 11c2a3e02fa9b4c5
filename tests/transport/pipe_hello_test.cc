// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/pipe_hello.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ferry::internal {
namespace {

PipeHello HelloOf(unsigned char byte) {
  PipeHello hello;
  hello.nonce.fill(byte);
  return hello;
}

// The nonces' bytes of all HELLOs that are found when the bytes are read as wanted.
std::vector<int> Found(const std::string& bytes) {
  std::vector<int> found;
  PipeHelloReader reader;
  for (size_t at = 0; at < bytes.size();) {
    EXPECT_GT(reader.wanted(), 0u);
    std::string part = bytes.substr(at, reader.wanted());
    at += part.size();
    PipeHello hello;
    if (reader.Add(part, hello)) found.push_back(hello.nonce[0]);
  }
  return found;
}

std::string Record(unsigned char byte) { return EncodePipeHello(HelloOf(byte)); }

TEST(PipeHelloTest, HasTheseBytes) {
  std::string expected = "ferry.hi" + std::string("\1\0\0\0\0\0\0\0", 8) + std::string(16, 'n') +
                         std::string(480, '\0');
  EXPECT_EQ(Record('n'), expected);
  EXPECT_EQ(expected.size(), kPipeRecordSize);
}

TEST(PipeHelloTest, FindsEachHello) {
  EXPECT_EQ(Found(Record(1) + Record(2) + Record(3)), (std::vector<int>{1, 2, 3}));
}

TEST(PipeHelloTest, PassesByWhatIsNone) {
  const std::string long_garbage(10000, 'g'), zeros(700, '\0');
  EXPECT_EQ(Found("hi\n" + Record(1) + long_garbage + Record(2) + zeros + Record(3)),
            (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(Found("ferry.hi" + Record(9)), std::vector<int>{9});
  EXPECT_EQ(Found("ferry." + Record(9)), std::vector<int>{9});
  EXPECT_EQ(Found(Record(1).substr(0, 300) + Record(2)), std::vector<int>{2});
  std::string dirty = Record(1);
  dirty[400] = 1;
  EXPECT_EQ(Found(dirty + Record(2)), std::vector<int>{2});
}

TEST(PipeHelloTest, ReadsOtherVersions) {
  PipeHello hello = HelloOf(7), found;
  hello.version = 2;
  std::string record = EncodePipeHello(hello);
  record[500] = 1;
  PipeHelloReader reader;
  ASSERT_TRUE(reader.Add(record, found));
  EXPECT_EQ(found.version, 2u);
  EXPECT_EQ(found.nonce, hello.nonce);
}

TEST(PipeWelcomeTest, HasTheseBytes) {
  EXPECT_EQ(EncodePipeWelcome(absl::OkStatus()),
            "ferry.ok" + std::string("\1\0\0\0\0\0\0\0", 8) + std::string(496, '\0'));
  EXPECT_EQ(EncodePipeWelcome(absl::UnavailableError("why")),
            "ferry.ok" + std::string("\1\0\0\0\16\0\0\0why", 11) + std::string(493, '\0'));
}

TEST(PipeWelcomeTest, BringsTheStatus) {
  EXPECT_TRUE(DecodePipeWelcome(EncodePipeWelcome(absl::OkStatus())).ok());
  EXPECT_EQ(DecodePipeWelcome(EncodePipeWelcome(absl::UnavailableError("why"))),
            absl::UnavailableError("why"));
  std::string text(600, 't');
  EXPECT_EQ(DecodePipeWelcome(EncodePipeWelcome(absl::UnavailableError(text))),
            absl::UnavailableError(text.substr(0, 496)));
}

TEST(PipeWelcomeTest, ABrokenOneIsDataLoss) {
  std::string welcome = EncodePipeWelcome(absl::OkStatus());
  std::string next_version = welcome;
  next_version[8] = 2;
  for (const std::string& broken :
       {std::string(), welcome.substr(1), std::string(kPipeRecordSize, 'x'), next_version}) {
    EXPECT_EQ(DecodePipeWelcome(broken).code(), absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace ferry::internal
