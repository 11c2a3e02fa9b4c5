// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The bytes of every frame type, both ways, and the numbers in them.

#include "ferry/proto/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/proto/frame_samples.h"

namespace ferry {
namespace {

using namespace samples;

struct WireCase {
  const char* name;
  FrameHeader header;
  Bytes bytes;
};

std::string NameOf(const testing::TestParamInfo<WireCase>& info) { return info.param.name; }

class FrameWireTest : public testing::TestWithParam<WireCase> {};

TEST_P(FrameWireTest, EncodesToTheseBytes) {
  EXPECT_EQ(Encoded(GetParam().header), GetParam().bytes);
}

TEST_P(FrameWireTest, DecodesFromTheseBytes) {
  const FrameHeader& expected = GetParam().header;
  FrameHeader header = Decoded(GetParam().bytes);
  EXPECT_EQ(header.length, expected.length);
  EXPECT_EQ(header.type, expected.type);
  EXPECT_EQ(header.flags, expected.flags);
  EXPECT_EQ(header.aux, expected.aux);
  EXPECT_EQ(header.call, expected.call);
  EXPECT_EQ(header.method, expected.method);
  EXPECT_EQ(header.arg, expected.arg);
}

TEST_P(FrameWireTest, IsValid) {
  EXPECT_EQ(ValidateFrameHeader(GetParam().header, kMaxFrame), absl::OkStatus());
}

// One field in a row: length, type, flags, aux, call, method, arg.
// clang-format off
const WireCase kWireCases[] = {
    {"Hello", Hello(),
     {0x15, 0, 0, 0,  0x01,  0,  0, 0,  0, 0, 0, 0,
      0x46, 0x45, 0x52, 0x52, 0x59, 0x0d, 0x0a, 0x1a,  0, 0, 0, 0}},
    {"Request", Request(),
     {0x07, 0, 0, 0,  0x02,  0x02,  0x02, 0x01,  0x09, 0x00, 0x06, 0x00,
      0x6f, 0x1f, 0x8b, 0x99, 0xbb, 0x6f, 0xd3, 0x4f,  0x40, 0x42, 0x0f, 0x00}},
    {"Continue", Continue(),
     {0x00, 0x00, 0x01, 0x00,  0x03,  0x01,  0, 0,  0x09, 0x00, 0x06, 0x00,
      0, 0, 0, 0, 0, 0, 0, 0,  0xf0, 0x49, 0x01, 0x00}},
    {"Message", Message(),
     {0, 0, 0, 0,  0x04,  0x06,  0, 0,  0x09, 0x00, 0x06, 0x00,
      0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0}},
    {"Reply", Reply(),
     {0x34, 0x12, 0, 0,  0x05,  0x01,  0x10, 0x00,  0xff, 0xff, 0xff, 0xff,
      0, 0, 0, 0, 0, 0, 0, 0,  0x04, 0x03, 0x02, 0x01}},
    {"Metadata", Metadata(),
     {0x21, 0, 0, 0,  0x06,  0x10,  0, 0,  0x09, 0x00, 0x06, 0x00,
      0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0}},
    {"Cancel", Cancel(),
     {0, 0, 0, 0,  0x07,  0,  0, 0,  0x09, 0x00, 0x06, 0x00,
      0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0}},
    {"Credit", Credit(),
     {0, 0, 0, 0,  0x08,  0,  0, 0,  0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0,  0xff, 0xff, 0xff, 0xff}},
    {"Ping", Ping(),
     {0, 0, 0, 0,  0x09,  0x20,  0, 0,  0, 0, 0, 0,
      0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  0, 0, 0, 0}},
    {"GoAway", GoAway(),
     {0x09, 0, 0, 0,  0x0a,  0,  0, 0,  0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0}},
    {"UnknownButSkippable", Unknown(),
     {0x05, 0, 0, 0,  0x80,  0xff,  0xff, 0xff,  0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  0xff, 0xff, 0xff, 0xff}},
};
// clang-format on

INSTANTIATE_TEST_SUITE_P(AllTypes, FrameWireTest, testing::ValuesIn(kWireCases), NameOf);

TEST(FrameHeaderTest, EveryTypeHasAWireCase) {
  std::vector<std::string_view> names;
  for (const WireCase& wire : kWireCases) names.push_back(FrameTypeName(wire.header.type));
  std::vector<std::string_view> expected;
  for (int type = 0; type < kFirstSkippableType; ++type) {
    std::string_view name = FrameTypeName(static_cast<FrameType>(type));
    if (name != "frame of unknown type") expected.push_back(name);
  }
  expected.push_back("frame of unknown type");
  EXPECT_EQ(names, expected);
}

TEST(FrameHeaderTest, AnyBytesComeBackAsTheyWere) {
  Bytes bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(0xe0 + i);
  EXPECT_EQ(Encoded(Decoded(bytes)), bytes);
}

TEST(FrameTypeNameTest, NamesKnownTypesOnly) {
  EXPECT_EQ(FrameTypeName(FrameType::kHello), "hello");
  EXPECT_EQ(FrameTypeName(FrameType::kGoAway), "goaway");
  EXPECT_EQ(FrameTypeName(FrameType{0}), "frame of unknown type");
  EXPECT_EQ(FrameTypeName(FrameType{0x0b}), "frame of unknown type");
  EXPECT_EQ(FrameTypeName(FrameType{0xff}), "frame of unknown type");
}

// ---- Call ids ----

TEST(CallIdTest, PartsLieSideBySide) {
  EXPECT_EQ(CallId::Make(1, 0, 0).value, 0x00000001u);
  EXPECT_EQ(CallId::Make(0, 1, 0).value, 0x00000002u);
  EXPECT_EQ(CallId::Make(0, 0xffff, 0).value, 0x0001fffeu);
  EXPECT_EQ(CallId::Make(0, 0, 1).value, 0x00020000u);
  EXPECT_EQ(CallId::Make(0, 0, kMaxGeneration).value, 0xfffe0000u);
  EXPECT_EQ(CallId::Make(1, 4, 3).value, 0x00060009u);
}

TEST(CallIdTest, PartsComeBack) {
  constexpr CallId kId = CallId::Make(1, kMaxCalls - 1, kMaxGeneration);
  EXPECT_EQ(kId.opener(), 1u);
  EXPECT_EQ(kId.index(), 0xfffeu);
  EXPECT_EQ(kId.generation(), 0x7fffu);
  constexpr CallId kOther = CallId::Make(0, 0x1234, 0x0567);
  EXPECT_EQ(kOther.opener(), 0u);
  EXPECT_EQ(kOther.index(), 0x1234u);
  EXPECT_EQ(kOther.generation(), 0x0567u);
}

TEST(CallIdTest, AnotherGenerationOrOpenerIsAnotherCall) {
  EXPECT_EQ(CallId::Make(0, 7, 1), CallId::Make(0, 7, 1));
  EXPECT_NE(CallId::Make(0, 7, 1), CallId::Make(0, 7, 2));
  EXPECT_NE(CallId::Make(0, 7, 1), CallId::Make(1, 7, 1));
}

TEST(CallIdTest, HighestIndexPlusOneFitsIntoAux) { EXPECT_LE(kMaxCalls - 1 + 1, 0xffffu); }

// ---- Method ids ----

TEST(MethodIdTest, IsFnv1aOf64Bits) {
  EXPECT_EQ(MethodId(""), 0xcbf29ce484222325);
  EXPECT_EQ(MethodId("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(MethodId("foobar"), 0x85944171f73967e8);  // from the authors' test vectors
}

TEST(MethodIdTest, OfAMethodIsWhatOthersCompute) {
  EXPECT_EQ(MethodId("greeter.Greeter/Greet"), 0x4fd36fbb998b1f6f);
}

TEST(MethodIdTest, BytesAbove127AreUnsigned) { EXPECT_EQ(MethodId("\xff"), 0xaf64724c8602eb6e); }

TEST(MethodIdTest, IsKnownAtCompileTime) { static_assert(MethodId("a") == 0xaf63dc4c8601ec8c); }

// ---- Fragments ----

TEST(ContinueHeaderTest, FragmentBeforeTheLastIsFullAndSaysMore) {
  FrameHeader header = ContinueHeader({0x20000}, 84464, 65536);
  EXPECT_EQ(Encoded(header),
            Encoded(Header({FrameType::kContinue, 65536, kFlagMore, 0, 0x20000, 0, 84464})));
}

TEST(ContinueHeaderTest, LastFragmentTakesTheRest) {
  FrameHeader header = ContinueHeader({0x20000}, 18928, 65536);
  EXPECT_EQ(Encoded(header),
            Encoded(Header({FrameType::kContinue, 18928, 0, 0, 0x20000, 0, 18928})));
}

TEST(ContinueHeaderTest, LastFragmentMayBeFull) {
  FrameHeader header = ContinueHeader({0x20000}, 65536, 65536);
  EXPECT_EQ(header.length, 65536u);
  EXPECT_EQ(header.flags, 0);
  EXPECT_EQ(header.arg, 65536u);
}

TEST(ContinueHeaderTest, FragmentsOfAMessageAreValidAndCoverIt) {
  constexpr size_t kFrame = 1000;
  for (size_t total : {1u, 999u, 1000u, 1001u, 2000u, 123456u}) {
    size_t remaining = total;
    while (remaining != 0) {
      FrameHeader header = ContinueHeader({0x20000}, remaining, kFrame);
      ASSERT_EQ(ValidateFrameHeader(header, kFrame), absl::OkStatus());
      ASSERT_EQ(header.arg, remaining);
      remaining -= header.length;
    }
  }
}

}  // namespace
}  // namespace ferry
