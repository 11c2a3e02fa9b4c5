// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Every header that ValidateFrameHeader refuses, and the text it says.

#include <gtest/gtest.h>

#include <string>

#include "ferry/proto/frame.h"
#include "tests/proto/frame_samples.h"

namespace ferry {
namespace {

using namespace samples;

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
    {"AuxOfGoAway", WithAux(GoAway(), 17),
     "broken frame: goaway with status code 17, expected 0 to 16"},
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
    {"ContinueOfMoreThanIsToCome", WithFlags(WithArg(Continue(), 65535), 0),
     "broken frame: continue of 65536 bytes with 65535 to come and flags 0"},
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

}  // namespace
}  // namespace ferry
