// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The bytes of every frame type, and every header that is refused.

#include "ferry/proto/frame.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {
namespace {

using Bytes = std::array<uint8_t, kFrameHeaderSize>;

Bytes Encoded(const FrameHeader& header) {
  Bytes bytes;
  EncodeFrameHeader(header, reinterpret_cast<char*>(bytes.data()));
  return bytes;
}

FrameHeader Decoded(const Bytes& bytes) {
  return DecodeFrameHeader(reinterpret_cast<const char*>(bytes.data()));
}

// How a test writes a header down.
struct HeaderText {
  FrameType type{};
  uint32_t length = 0;
  uint8_t flags = 0;
  uint16_t aux = 0;
  uint32_t call = 0;
  uint64_t method = 0;
  uint32_t arg = 0;
};

FrameHeader Header(const HeaderText& text) {
  FrameHeader header;
  header.length = text.length;
  header.type = text.type;
  header.flags = text.flags;
  header.aux = text.aux;
  header.call = {text.call};
  header.method = text.method;
  header.arg = text.arg;
  return header;
}

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

FrameHeader Hello() { return Header({FrameType::kHello, 21, 0, 0, 0, kHelloMagic, 0}); }
FrameHeader Request() {
  return Header(
      {FrameType::kRequest, 7, kFlagEnd, 0x0102, 0x00060009, 0x4fd36fbb998b1f6f, 1'000'000});
}
FrameHeader Continue() {
  return Header({FrameType::kContinue, 0x10000, kFlagMore, 0, 0x00060009, 0, 0x149f0});
}
FrameHeader Message() {
  return Header({FrameType::kMessage, 0, kFlagEnd | kFlagEmpty, 0, 0x00060009, 0, 0});
}
FrameHeader Reply() {
  return Header({FrameType::kReply, 0x1234, kFlagMore, 16, 0xffffffff, 0, 0x01020304});
}
FrameHeader Metadata() {
  return Header({FrameType::kMetadata, 33, kFlagTrailing, 0, 0x00060009, 0, 0});
}
FrameHeader Cancel() { return Header({FrameType::kCancel, 0, 0, 0, 0x00060009, 0, 0}); }
FrameHeader Credit() { return Header({FrameType::kCredit, 0, 0, 0, 0, 0, 0xffffffff}); }
FrameHeader Ping() { return Header({FrameType::kPing, 0, kFlagAck, 0, 0, 0x1122334455667788, 0}); }
FrameHeader GoAway() { return Header({FrameType::kGoAway, 9, 0, 0, 0, 0, 0}); }
FrameHeader Unknown() {
  return Header({FrameType{0x80}, 5, 0xff, 0xffff, 0xffffffff, 0xffffffffffffffff, 0xffffffff});
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

// ---- What is refused ----

struct BrokenCase {
  const char* name;
  FrameHeader header;
  const char* error;
};

std::string BrokenNameOf(const testing::TestParamInfo<BrokenCase>& info) { return info.param.name; }

class BrokenHeaderTest : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenHeaderTest, IsRefusedWithDataLossAndAText) {
  EXPECT_EQ(ValidateFrameHeader(GetParam().header, kMaxFrame),
            absl::DataLossError(GetParam().error));
}

TEST_P(BrokenHeaderTest, IsRefusedAfterATripOverTheWire) {
  EXPECT_EQ(ValidateFrameHeader(Decoded(Encoded(GetParam().header)), kMaxFrame),
            absl::DataLossError(GetParam().error));
}

// `header` with one thing changed.
template <typename Field, typename Value>
FrameHeader With(FrameHeader header, Field FrameHeader::*field, Value value) {
  header.*field = static_cast<Field>(value);
  return header;
}

FrameHeader WithFlags(const FrameHeader& header, int flags) {
  return With(header, &FrameHeader::flags, flags);
}
FrameHeader WithLength(const FrameHeader& header, uint32_t length) {
  return With(header, &FrameHeader::length, length);
}
FrameHeader WithAux(const FrameHeader& header, int aux) {
  return With(header, &FrameHeader::aux, aux);
}
FrameHeader WithCall(FrameHeader header, uint32_t call) {
  header.call = {call};
  return header;
}
FrameHeader WithMethod(const FrameHeader& header, uint64_t method) {
  return With(header, &FrameHeader::method, method);
}
FrameHeader WithArg(const FrameHeader& header, uint32_t arg) {
  return With(header, &FrameHeader::arg, arg);
}

const BrokenCase kUnknownTypes[] = {
    {"TypeZero", Header({FrameType{0}}), "broken frame: unknown type 0"},
    {"TypeAfterTheLast", Header({FrameType{0x0b}}), "broken frame: unknown type 0xb"},
    {"TypeBeforeTheSkippable", Header({FrameType{0x7f}}), "broken frame: unknown type 0x7f"},
    {"UnknownTypeIsNamedBeforeItsLength", Header({FrameType{0x7f}, 0xffffffff}),
     "broken frame: unknown type 0x7f"},
};
INSTANTIATE_TEST_SUITE_P(Type, BrokenHeaderTest, testing::ValuesIn(kUnknownTypes), BrokenNameOf);

const BrokenCase kTooLong[] = {
    {"Request", WithLength(Request(), 65537),
     "broken frame: request of 65537 bytes, expected at most 65536"},
    {"Hello", WithLength(Hello(), 0xffffffff),
     "broken frame: hello of 4294967295 bytes, expected at most 65536"},
    {"Cancel", WithLength(Cancel(), 65537),
     "broken frame: cancel of 65537 bytes, expected at most 65536"},
    {"Skippable", WithLength(Unknown(), 65537),
     "broken frame: frame of unknown type of 65537 bytes, expected at most 65536"},
};
INSTANTIATE_TEST_SUITE_P(TooLong, BrokenHeaderTest, testing::ValuesIn(kTooLong), BrokenNameOf);

const BrokenCase kWrongFlags[] = {
    {"Hello", WithFlags(Hello(), 0x01), "broken frame: hello with flags 0x1, expected none but 0"},
    {"Request", WithFlags(Request(), 0x12),
     "broken frame: request with flags 0x12, expected none but 0xf"},
    {"Continue", WithFlags(Continue(), 0x03),
     "broken frame: continue with flags 0x3, expected none but 0x1"},
    {"Message", WithFlags(Message(), 0x0e),
     "broken frame: message with flags 0xe, expected none but 0x7"},
    {"Reply", WithFlags(Reply(), 0x02),
     "broken frame: reply with flags 0x2, expected none but 0x5"},
    {"Metadata", WithFlags(Metadata(), 0x04),
     "broken frame: metadata with flags 0x4, expected none but 0x11"},
    {"Cancel", WithFlags(Cancel(), 0x02),
     "broken frame: cancel with flags 0x2, expected none but 0"},
    {"Credit", WithFlags(Credit(), 0x20),
     "broken frame: credit with flags 0x20, expected none but 0"},
    {"Ping", WithFlags(Ping(), 0xa0), "broken frame: ping with flags 0xa0, expected none but 0x20"},
    {"GoAway", WithFlags(GoAway(), 0x01),
     "broken frame: goaway with flags 0x1, expected none but 0"},
};
INSTANTIATE_TEST_SUITE_P(Flags, BrokenHeaderTest, testing::ValuesIn(kWrongFlags), BrokenNameOf);

const BrokenCase kEmptyWithMessage[] = {
    {"RequestWithPayload", WithFlags(Request(), kFlagEmpty),
     "broken frame: request without message but 7 bytes, flags 0x4"},
    {"RequestWithMore", WithLength(WithFlags(Request(), kFlagEmpty | kFlagMore), 0),
     "broken frame: request without message but 0 bytes, flags 0x5"},
    {"MessageWithPayload", WithLength(Message(), 1),
     "broken frame: message without message but 1 bytes, flags 0x6"},
    {"ReplyWithMore", WithFlags(WithLength(Reply(), 0), kFlagEmpty | kFlagMore),
     "broken frame: reply without message but 0 bytes, flags 0x5"},
};
INSTANTIATE_TEST_SUITE_P(Empty, BrokenHeaderTest, testing::ValuesIn(kEmptyWithMessage),
                         BrokenNameOf);

const BrokenCase kNotZero[] = {
    {"PayloadOfCancel", WithLength(Cancel(), 1),
     "broken frame: cancel with 1 bytes of payload, expected none"},
    {"PayloadOfCredit", WithLength(Credit(), 2),
     "broken frame: credit with 2 bytes of payload, expected none"},
    {"PayloadOfPing", WithLength(Ping(), 8),
     "broken frame: ping with 8 bytes of payload, expected none"},
    {"CallOfHello", WithCall(Hello(), 0x20000),
     "broken frame: hello with call 0x20000, expected 0"},
    {"CallOfPing", WithCall(Ping(), 1), "broken frame: ping with call 0x1, expected 0"},
    {"CallOfGoAway", WithCall(GoAway(), 2), "broken frame: goaway with call 0x2, expected 0"},
    {"AuxOfHello", WithAux(Hello(), 1), "broken frame: hello with aux 1, expected 0"},
    {"AuxOfContinue", WithAux(Continue(), 65535),
     "broken frame: continue with aux 65535, expected 0"},
    {"AuxOfMessage", WithAux(Message(), 2), "broken frame: message with aux 2, expected 0"},
    {"AuxOfMetadata", WithAux(Metadata(), 3), "broken frame: metadata with aux 3, expected 0"},
    {"AuxOfCancel", WithAux(Cancel(), 4), "broken frame: cancel with aux 4, expected 0"},
    {"AuxOfCredit", WithAux(Credit(), 5), "broken frame: credit with aux 5, expected 0"},
    {"AuxOfPing", WithAux(Ping(), 6), "broken frame: ping with aux 6, expected 0"},
    {"AuxOfGoAway", WithAux(GoAway(), 7), "broken frame: goaway with aux 7, expected 0"},
    {"MethodOfContinue", WithMethod(Continue(), 0xff),
     "broken frame: continue with method 0xff, expected 0"},
    {"MethodOfMessage", WithMethod(Message(), 1),
     "broken frame: message with method 0x1, expected 0"},
    {"MethodOfReply", WithMethod(Reply(), 0xffffffffffffffff),
     "broken frame: reply with method 0xffffffffffffffff, expected 0"},
    {"MethodOfMetadata", WithMethod(Metadata(), 1),
     "broken frame: metadata with method 0x1, expected 0"},
    {"MethodOfCancel", WithMethod(Cancel(), 1), "broken frame: cancel with method 0x1, expected 0"},
    {"MethodOfCredit", WithMethod(Credit(), 1), "broken frame: credit with method 0x1, expected 0"},
    {"MethodOfGoAway", WithMethod(GoAway(), 1), "broken frame: goaway with method 0x1, expected 0"},
    {"ArgOfHello", WithArg(Hello(), 1), "broken frame: hello with arg 1, expected 0"},
    {"ArgOfMessage", WithArg(Message(), 2), "broken frame: message with arg 2, expected 0"},
    {"ArgOfMetadata", WithArg(Metadata(), 3), "broken frame: metadata with arg 3, expected 0"},
    {"ArgOfCancel", WithArg(Cancel(), 4), "broken frame: cancel with arg 4, expected 0"},
    {"ArgOfPing", WithArg(Ping(), 5), "broken frame: ping with arg 5, expected 0"},
    {"ArgOfGoAway", WithArg(GoAway(), 0xffffffff),
     "broken frame: goaway with arg 4294967295, expected 0"},
};
INSTANTIATE_TEST_SUITE_P(NotZero, BrokenHeaderTest, testing::ValuesIn(kNotZero), BrokenNameOf);

const BrokenCase kWrongValues[] = {
    {"HelloWithoutMagic", WithMethod(Hello(), 0),
     "broken frame: hello with magic 0, expected 0x1a0a0d5952524546"},
    // What a stream in text mode makes of it.
    {"HelloWithMagicAsText", WithMethod(Hello(), 0x1a0a5952524546),
     "broken frame: hello with magic 0x1a0a5952524546, expected 0x1a0a0d5952524546"},
    {"ContinueWithoutPayload", WithLength(Continue(), 0), "broken frame: continue without payload"},
    {"ContinueOfMoreThanIsToCome", WithArg(Continue(), 65535),
     "broken frame: continue of 65536 bytes with 65535 to come and flags 0x1"},
    {"LastContinueWithMore", WithArg(Continue(), 65536),
     "broken frame: continue of 65536 bytes with 65536 to come and flags 0x1"},
    {"ContinueWithoutMoreBeforeTheLast", WithFlags(Continue(), 0),
     "broken frame: continue of 65536 bytes with 84464 to come and flags 0"},
    {"ReplyWithUnknownStatus", WithAux(Reply(), 17),
     "broken frame: reply with status code 17, expected 0 to 16"},
    {"CreditOfNothing", WithArg(Credit(), 0), "broken frame: credit of 0 bytes"},
};
INSTANTIATE_TEST_SUITE_P(Value, BrokenHeaderTest, testing::ValuesIn(kWrongValues), BrokenNameOf);

TEST(ValidateFrameHeaderTest, PayloadMayBeAsLargeAsTheLimitAndNoLarger) {
  FrameHeader request = WithLength(Request(), 100);
  EXPECT_EQ(ValidateFrameHeader(request, 100), absl::OkStatus());
  EXPECT_EQ(ValidateFrameHeader(request, 99),
            absl::DataLossError("broken frame: request of 100 bytes, expected at most 99"));
}

TEST(ValidateFrameHeaderTest, CreditMayBelongToACallOrToTheConnection) {
  EXPECT_EQ(ValidateFrameHeader(WithCall(Credit(), 0x20000), kMaxFrame), absl::OkStatus());
  EXPECT_EQ(ValidateFrameHeader(WithCall(Credit(), 0), kMaxFrame), absl::OkStatus());
}

TEST(ValidateFrameHeaderTest, MessageOfNoBytesIsNotAnEmptyOne) {
  EXPECT_EQ(ValidateFrameHeader(WithLength(Request(), 0), kMaxFrame), absl::OkStatus());
}

TEST(ValidateFrameHeaderTest, EveryStatusCodeIsAllowedInAReply) {
  for (int code = 0; code <= 16; ++code) {
    EXPECT_EQ(ValidateFrameHeader(WithAux(Reply(), code), kMaxFrame), absl::OkStatus()) << code;
  }
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
  for (size_t total : {1, 999, 1000, 1001, 2000, 123456}) {
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
