// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "options/comments.ferry.h"
#include "options/deprecated.ferry.h"
#if GOOGLE_PROTOBUF_VERSION >= 5027000
#include "options/editions.ferry.h"
#endif
#include "options/generic.ferry.h"
#include "options/namespaced.ferry.h"
#include "tests/codegen/corners/plain_code.h"
#include "tests/codegen/corners/served.h"

namespace corner {
namespace {

using ferry::test::Echo;
using ferry::test::ExpectEcho;
using ferry::test::Served;
using ferry::test::TextOf;

TEST(OptionTest, GenericServicesOfProtobufMayStandBeside) {
  ExpectEcho<generic::CornerService_, generic::CornerStub, generic::Text>();
  ExpectEcho<generic::CornerServiceService, generic::CornerServiceStub, generic::Text>();
}

TEST(OptionTest, ServicesMayHaveANamespaceOfTheirOwn) {
  ExpectEcho<namespaced::rpc::CornerService, namespaced::rpc::CornerStub, namespaced::Text>();
}

TEST(OptionTest, EditionsMayReplaceTheSyntax) {
#if GOOGLE_PROTOBUF_VERSION >= 5027000
  ExpectEcho<editions::CornerService, editions::CornerStub, editions::Text::Part>();
#else
  GTEST_SKIP() << "this protobuf has no editions";
#endif
}

TEST(OptionTest, UserCodeNeedsNoExceptionsAndNoRtti) { EXPECT_EQ(plain::SaysHello(), "hello"); }

class Comments final : public CommentsService {
  FERRY_TEST_HANDLER(Block)
  FERRY_TEST_HANDLER(Backslash)
  FERRY_TEST_HANDLER(Directive)
  FERRY_TEST_HANDLER(Trailing)
};

TEST(CommentTest, MayHoldWhatEndsCommentsElsewhere) {
  Comments service;
  const Served served({&service});
  const CommentsStub stub(served.Connect());
  FERRY_TEST_EXPECT_CALL(stub, Block);
  FERRY_TEST_EXPECT_CALL(stub, Backslash);
  FERRY_TEST_EXPECT_CALL(stub, Directive);
  FERRY_TEST_EXPECT_CALL(stub, Trailing);
}

// The caller is warned of what is deprecated, which is an error here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

class Ageing final : public AgeingService {
  absl::Status Get(ferry::ServerContext&, const Old& request, Old& reply) override {
    reply.set_text(request.text());
    return absl::OkStatus();
  }
};

TEST(OptionTest, DeprecatedMethodsAreStillServed) {
  Ageing service;
  const Served served({&service});
  Old request;
  request.set_text("hello");
  EXPECT_EQ(TextOf(AgeingStub(served.Connect()).Get(request)), "hello");
}

TEST(OptionTest, DeprecatedServicesAreStillServed) { ExpectEcho<AgedService, AgedStub, Text>(); }

#pragma GCC diagnostic pop

}  // namespace
}  // namespace corner
