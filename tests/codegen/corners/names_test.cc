// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "names/messages.ferry.h"
#include "names/methods.ferry.h"
#include "names/services.ferry.h"
#include "tests/codegen/corners/served.h"

namespace {

using ferry::test::Echo;
using ferry::test::ExpectEcho;
using ferry::test::Served;
using ferry::test::TextOf;

// Implements the methods of corner::Name, calls each, and expects that it and no other
// answers.
#define FERRY_TEST_METHODS(Name, METHODS)                                               \
  class Impl final : public corner::Name##Service{METHODS(FERRY_TEST_HANDLER)} service; \
  const Served served({&service});                                                      \
  const corner::Name##Stub stub(served.Connect());                                      \
  METHODS(FERRY_TEST_CALL)
#define FERRY_TEST_CALL(Method) FERRY_TEST_EXPECT_CALL(stub, Method);

// clang-format off
#define KEYWORDS(X) X(operator_) X(register_) X(int_) X(and_) X(char16_t_) X(co_await_) \
  X(concept_) X(typeof_)
#define DELETES(X) X(delete__) X(delete_)
#define MACROS(X) X(assert_) X(errno_) X(linux_) X(major_) X(minor_) X(offsetof_) X(stdin_) \
  X(unix_) X(INT_MAX_) X(NULL_) X(EOF__) X(EOF_)
#define PARAMETERS(X) X(context) X(request) X(reply) X(options) X(channel) X(kMethods)
#define MEMBERS(X) X(ferry_methods_) X(ferry_channel__) X(Members) X(MembersService_) \
  X(MembersStub_) X(Register) X(Call) X(New) X(Stop) X(set_text)
#define SCOPES(X) X(corner) X(ferry) X(absl) X(std) X(google) X(internal) X(generated) \
  X(Status) X(ServerContext) X(CallUnary)
#define CASES(X) X(get) X(Get) X(GET)
// clang-format on

TEST(MethodTest, MayBeNamedLikeKeywords) { FERRY_TEST_METHODS(Keywords, KEYWORDS); }

TEST(MethodTest, MayBeNamedLikeWhatAKeywordBecomes) { FERRY_TEST_METHODS(Keywords, DELETES); }

TEST(MethodTest, MayBeNamedLikeMacros) { FERRY_TEST_METHODS(Macros, MACROS); }

TEST(MethodTest, MayBeNamedLikeParametersAndLocals) { FERRY_TEST_METHODS(Parameters, PARAMETERS); }

TEST(MethodTest, MayBeNamedLikeMembers) { FERRY_TEST_METHODS(Members, MEMBERS); }

TEST(MethodTest, MayBeNamedLikeNamespacesAndTypes) { FERRY_TEST_METHODS(Scopes, SCOPES); }

TEST(MethodTest, NamesMayDifferInCaseOnly) { FERRY_TEST_METHODS(Case, CASES); }

TEST(ServiceTest, MayBeNamedLikeClassesOfFerry) {
  using namespace corner::names;
  ExpectEcho<ServiceService, ServiceStub, Text>();
  ExpectEcho<StubService, StubStub, Text>();
  ExpectEcho<ServerService, ServerStub, Text>();
  ExpectEcho<ChannelService, ChannelStub, Text>();
  ExpectEcho<MethodService, MethodStub, Text>();
}

TEST(ServiceTest, MayBeNamedLikeClassesOfGrpc) {
  using namespace corner::names;
  ExpectEcho<StubInterfaceService, StubInterfaceStub, Text>();
  ExpectEcho<AsyncServiceService, AsyncServiceStub, Text>();
}

TEST(ServiceTest, MayBeNamedLikeKeywordsMacrosAndPackages) {
  using namespace corner::names;
  ExpectEcho<deleteService, deleteStub, Text>();
  ExpectEcho<errnoService, errnoStub, Text>();
  ExpectEcho<BOOLService, BOOLStub, Text>();
  ExpectEcho<cornerService, cornerStub, Text>();
}

TEST(ServiceTest, MayBeOneOfSeveralInAFile) {
  using corner::names::Text;
  Echo<corner::names::StubService, Text> first;
  Echo<corner::names::ServerService, Text> second;
  const Served served({&first, &second});
  const ferry::Channel channel = served.Connect();
  Text request;
  request.set_text("hello");
  EXPECT_EQ(TextOf(corner::names::StubStub(channel).Get(request)), "hello");
  EXPECT_EQ(TextOf(corner::names::ServerStub(channel).Get(request)), "hello");
  EXPECT_EQ(corner::names::ChannelStub(channel).Get(request).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(ServiceTest, MayBeEmpty) {
  corner::names::EmptyService service;
  const Served served({&service});
  const corner::names::EmptyStub stub(served.Connect());
}

TEST(ServiceTest, GivesWayToMessagesNamedLikeItsClasses) {
  ExpectEcho<corner::names::TakenService_, corner::names::TakenStub_, corner::names::Text>();
}

// Answers each request with its text.
class Messages final : public corner::messages::CornerService {
#define FERRY_TEST_CONVERT(Method, Request, Reply)                                         \
  ::absl::Status Method(::ferry::ServerContext&, const corner::messages::Request& request, \
                        corner::messages::Reply& reply) override {                         \
    reply.set_text(request.text());                                                        \
    return ::absl::OkStatus();                                                             \
  }
  FERRY_TEST_CONVERT(Get, ferry, absl)
  FERRY_TEST_CONVERT(Serve, Service, ServerContext)
  FERRY_TEST_CONVERT(Call, Channel, CallOptions)
  FERRY_TEST_CONVERT(Fail, Status, StatusOr)
  FERRY_TEST_CONVERT(Answer, request, reply)
  FERRY_TEST_CONVERT(Keep, google, internal)
};

template <typename Request>
Request Hello() {
  Request request;
  request.set_text("hello");
  return request;
}

TEST(MessageTest, MayBeNamedLikeWhatGeneratedCodeUses) {
  Messages service;
  const Served served({&service});
  const corner::messages::CornerStub stub(served.Connect());
  EXPECT_EQ(TextOf(stub.Get(Hello<corner::messages::ferry>())), "hello");
  EXPECT_EQ(TextOf(stub.Serve(Hello<corner::messages::Service>())), "hello");
  EXPECT_EQ(TextOf(stub.Call(Hello<corner::messages::Channel>())), "hello");
  EXPECT_EQ(TextOf(stub.Fail(Hello<corner::messages::Status>())), "hello");
  EXPECT_EQ(TextOf(stub.Answer(Hello<corner::messages::request>())), "hello");
  EXPECT_EQ(TextOf(stub.Keep(Hello<corner::messages::google>())), "hello");
}

}  // namespace
