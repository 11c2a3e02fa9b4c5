// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "streams/names.ferry.h"
#include "streams/shapes.ferry.h"
#include "tests/codegen/corners/served.h"
#include "tests/codegen/corners/streamed.h"

namespace corner::streams {
namespace {

using ferry::ServerContext;
using ferry::test::AllOf;
using ferry::test::AnswerToLetters;
using ferry::test::EchoEach;
using ferry::test::EchoesOfLetters;
using ferry::test::JoinLetters;
using ferry::test::SendLetters;
using ferry::test::Served;
using ferry::test::TextOf;
using ferry::test::WithText;

// Implements one method of each shape, which Base calls as we do.
template <typename Base>
class Letters final : public Base {
 public:
  // What OneWay got.
  std::string Noted() { return noted_.get_future().get(); }

 private:
  absl::Status ServerStream(ServerContext&, const Text& request,
                            ferry::ServerWriter<Text>& replies) override {
    return SendLetters(request, replies);
  }
  absl::Status ClientStream(ServerContext&, ferry::ServerReader<Text>& requests,
                            Text& reply) override {
    return JoinLetters(requests, reply);
  }
  absl::Status TwoWayStream(ServerContext&,
                            ferry::ServerReaderWriter<Text, Text>& stream) override {
    return EchoEach(stream);
  }
  absl::Status OneWay(ServerContext&, const Text& request) override {
    noted_.set_value(request.text());
    return absl::OkStatus();
  }

  std::promise<std::string> noted_;
};

// The caller is warned of what is deprecated, which is an error here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

template <typename Base, typename Stub>
void ExpectLetters() {
  Letters<Base> service;
  const Served served({&service});
  const Stub stub(served.Connect());
  EXPECT_EQ(AllOf(stub.ServerStream(WithText<Text>("abc"))), "a;b;c;");
  Text reply;
  EXPECT_EQ(AnswerToLetters(stub.ClientStream(&reply), reply), "abc");
  EXPECT_EQ(EchoesOfLetters(stub.TwoWayStream()), "a;b;c;");
  const absl::Status status = stub.OneWay(WithText<Text>("abc"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(service.Noted(), "abc");
}

TEST(ShapeTest, EachIsServedAndCalled) { ExpectLetters<ShapesService, ShapesStub>(); }

TEST(ShapeTest, EachMayBlock) { ExpectLetters<BlockingService, BlockingStub>(); }

TEST(ShapeTest, EachMayBeDeprecated) { ExpectLetters<AgeingService, AgeingStub>(); }

#pragma GCC diagnostic pop

TEST(ShapeTest, EachIsUnimplementedUnlessOverridden) {
  ShapesService service;
  const Served served({&service});
  const ShapesStub stub(served.Connect());
  const std::string expected = TextOf(stub.Unary(Text()));
  EXPECT_EQ(expected.rfind("UNIMPLEMENTED", 0), 0u) << expected;
  const auto with_name = [&expected](const std::string& name) {
    std::string text = expected;
    return text.replace(text.find("Unary"), sizeof("Unary") - 1, name);
  };
  EXPECT_EQ(AllOf(stub.ServerStream(Text())), with_name("ServerStream"));
  Text reply;
  EXPECT_EQ(AnswerToLetters(stub.ClientStream(&reply), reply), with_name("ClientStream"));
  EXPECT_EQ(EchoesOfLetters(stub.TwoWayStream()), with_name("TwoWayStream"));
  const absl::Status status = stub.OneWay(Text());
  EXPECT_TRUE(status.ok()) << status;
}

class Keywords final : public names::KeywordsService {
 public:
  std::string Noted() { return noted_.get_future().get(); }

 private:
  absl::Status delete_(ServerContext&, const Text& request,
                       ferry::ServerWriter<Text>& replies) override {
    return SendLetters(request, replies);
  }
  absl::Status register_(ServerContext&, ferry::ServerReader<Text>& requests,
                         Text& reply) override {
    return JoinLetters(requests, reply);
  }
  absl::Status switch_(ServerContext&, ferry::ServerReaderWriter<Text, Text>& stream) override {
    return EchoEach(stream);
  }
  absl::Status errno_(ServerContext&, const Text& request) override {
    noted_.set_value(request.text());
    return absl::OkStatus();
  }

  std::promise<std::string> noted_;
};

TEST(StreamTest, MethodsMayBeNamedLikeKeywordsAndMacros) {
  Keywords service;
  const Served served({&service});
  const names::KeywordsStub stub(served.Connect());
  EXPECT_EQ(AllOf(stub.delete_(WithText<Text>("abc"))), "a;b;c;");
  Text reply;
  EXPECT_EQ(AnswerToLetters(stub.register_(&reply), reply), "abc");
  EXPECT_EQ(EchoesOfLetters(stub.switch_()), "a;b;c;");
  const absl::Status status = stub.errno_(WithText<Text>("abc"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(service.Noted(), "abc");
}

// Implements the two-way methods of names::Name, each of which answers with its own name,
// calls each, and expects that it and no other answers.
#define FERRY_TEST_STREAMS(Name, METHODS)                                          \
  class Impl final : public names::Name##Service{METHODS(FERRY_TEST_SAY)} service; \
  const Served served({&service});                                                 \
  const names::Name##Stub stub(served.Connect());                                  \
  METHODS(FERRY_TEST_HEAR)
#define FERRY_TEST_SAY(Method)                                                               \
  absl::Status Method(ServerContext&, ferry::ServerReaderWriter<Text, Text>& two) override { \
    two.Write(WithText<Text>(#Method));                                                      \
    return absl::OkStatus();                                                                 \
  }
#define FERRY_TEST_HEAR(Method)                            \
  {                                                        \
    auto call = stub.Method();                             \
    Text heard;                                            \
    EXPECT_TRUE(call.Read(&heard));                        \
    EXPECT_EQ(heard.text(), #Method);                      \
    const absl::Status status = call.Finish();             \
    EXPECT_TRUE(status.ok()) << #Method << ": " << status; \
  }

// clang-format off
#define MEMBERS(X) X(Read) X(Write) X(WritesDone) X(Finish) X(Cancel)
#define PARAMETERS(X) X(context) X(requests) X(replies) X(stream) X(options)
#define SCOPES(X) X(corner) X(ferry) X(ClientReaderWriter) X(ServerReaderWriter) \
  X(CallTwoWayStream) X(ServeTwoWayStream)
// clang-format on

TEST(StreamTest, MethodsMayBeNamedLikeMembersOfStreams) { FERRY_TEST_STREAMS(Members, MEMBERS); }

TEST(StreamTest, MethodsMayBeNamedLikeParameters) { FERRY_TEST_STREAMS(Parameters, PARAMETERS); }

class Messages final : public names::MessagesService {
  absl::Status Follow(ServerContext&, const names::ClientReader& request,
                      ferry::ServerWriter<names::ServerWriter>& replies) override {
    return SendLetters(request, replies);
  }
  absl::Status Upload(ServerContext&, ferry::ServerReader<names::ClientWriter>& requests,
                      names::ServerReader& reply) override {
    return JoinLetters(requests, reply);
  }
  absl::Status Talk(ServerContext&,
                    ferry::ServerReaderWriter<names::ServerReaderWriter, names::ClientReaderWriter>&
                        stream) override {
    return EchoEach(stream);
  }
  absl::Status Keep(ServerContext&,
                    ferry::ServerReaderWriter<names::ferry, names::Metadata>& stream) override {
    return EchoEach(stream);
  }
  absl::Status Run(ServerContext&,
                   ferry::ServerReaderWriter<names::Execution, names::CallShape>& stream) override {
    return EchoEach(stream);
  }
};

TEST(StreamTest, MessagesMayBeNamedLikeWhatGeneratedCodeUses) {
  Messages service;
  const Served served({&service});
  const names::MessagesStub stub(served.Connect());
  EXPECT_EQ(AllOf(stub.Follow(WithText<names::ClientReader>("abc"))), "a;b;c;");
  names::ServerReader reply;
  EXPECT_EQ(AnswerToLetters(stub.Upload(&reply), reply), "abc");
  EXPECT_EQ(EchoesOfLetters(stub.Talk()), "a;b;c;");
  EXPECT_EQ(EchoesOfLetters(stub.Keep()), "a;b;c;");
  EXPECT_EQ(EchoesOfLetters(stub.Run()), "a;b;c;");
}

}  // namespace
}  // namespace corner::streams

namespace {

using corner::Text;
using ferry::ServerContext;
using ferry::test::Served;
using ferry::test::WithText;
namespace names = corner::streams::names;

TEST(StreamTest, MethodsMayBeNamedLikeNamespacesAndTypes) { FERRY_TEST_STREAMS(Scopes, SCOPES); }

}  // namespace
