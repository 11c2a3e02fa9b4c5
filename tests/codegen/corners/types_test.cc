// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <type_traits>

#include "tests/codegen/corners/served.h"
#include "types/imports.ferry.h"
#include "types/lite.ferry.h"
#include "types/messages.ferry.h"
#include "types/proto2.ferry.h"
#include "types/public.ferry.h"

namespace corner {
namespace {

namespace pb = google::protobuf;
using ferry::test::Echo;
using ferry::test::ExpectEcho;
using ferry::test::Served;
using ferry::test::TextOf;

TEST(TypeTest, NestedMessagesTravel) {
  ExpectEcho<NestedService, NestedStub, Outer::Inner::Innermost>();
}

class WellKnown final : public WellKnownService {
  absl::Status Nothing(ferry::ServerContext&, const pb::Empty&, pb::Empty&) override {
    return absl::OkStatus();
  }
  absl::Status Later(ferry::ServerContext&, const pb::Timestamp& request,
                     pb::Timestamp& reply) override {
    reply.set_seconds(request.seconds() + 1);
    return absl::OkStatus();
  }
  absl::Status Pack(ferry::ServerContext&, const pb::Struct& request, pb::Any& reply) override {
    return reply.PackFrom(request) ? absl::OkStatus() : absl::InternalError("not packed");
  }
  absl::Status Wrap(ferry::ServerContext&, const pb::StringValue& request,
                    pb::BytesValue& reply) override {
    reply.set_value(request.value());
    return absl::OkStatus();
  }
  absl::Status Describe(ferry::ServerContext&, const pb::Empty&,
                        pb::FileDescriptorProto& reply) override {
    reply.set_name("a.proto");
    return absl::OkStatus();
  }
};

TEST(TypeTest, WellKnownTypesTravel) {
  WellKnown service;
  const Served served({&service});
  const WellKnownStub stub(served.Connect());
  EXPECT_TRUE(stub.Nothing(pb::Empty()).ok());
  pb::Timestamp now;
  now.set_seconds(41);
  EXPECT_EQ(stub.Later(now)->seconds(), 42);
  EXPECT_TRUE(stub.Pack(pb::Struct())->Is<pb::Struct>());
  pb::StringValue text;
  text.set_value("hello");
  EXPECT_EQ(stub.Wrap(text)->value(), "hello");
  EXPECT_EQ(stub.Describe(pb::Empty())->name(), "a.proto");
}

TEST(TypeTest, OptionalFieldsOfProto3KeepTheirPresence) {
  Echo<PresenceService, Proto3> service;
  const Served served({&service});
  Proto3 request;
  request.set_explicit_(0);
  (*request.mutable_counts())["one"] = 1;
  request.set_text("");
  const absl::StatusOr<Proto3> reply = PresenceStub(served.Connect()).Get(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->has_explicit_());
  EXPECT_EQ(reply->one_case(), Proto3::kText);
  EXPECT_EQ(reply->counts().at("one"), 1);
}

TEST(TypeTest, Proto2MessagesTravelWithGroupsAndExtensions) {
  Echo<Proto2FieldsService, Proto2> service;
  const Served served({&service});
  Proto2 request;
  request.set_text("hello");
  request.mutable_group()->set_text("group");
  request.SetExtension(extra, "extension");
  const absl::StatusOr<Proto2> reply = Proto2FieldsStub(served.Connect()).Get(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->group().text(), "group");
  EXPECT_EQ(reply->GetExtension(extra), "extension");
}

TEST(TypeTest, MissingRequiredFieldIsAnError) {
  Echo<Proto2FieldsService, Proto2> service;
  const Served served({&service});
  const absl::StatusOr<Proto2> reply = Proto2FieldsStub(served.Connect()).Get(Proto2());
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
}

TEST(TypeTest, GroupsTravelAlone) { ExpectEcho<GroupsService, GroupsStub, Proto2::Group>(); }

class Imported final : public ImportedService {
  absl::Status Directly(ferry::ServerContext&, const Proto2::Group& request,
                        Proto2::Group& reply) override {
    reply = request;
    return absl::OkStatus();
  }
  FERRY_TEST_HANDLER(Publicly)
};

TEST(TypeTest, ImportedMessagesTravelAlsoPubliclyImportedOnes) {
  Imported service;
  const Served served({&service});
  const ImportedStub stub(served.Connect());
  FERRY_TEST_EXPECT_CALL(stub, Publicly);
  Proto2::Group request;
  request.set_text("hello");
  EXPECT_EQ(TextOf(stub.Directly(request)), "hello");
}

TEST(TypeTest, LiteMessagesTravel) {
  static_assert(!std::is_base_of_v<pb::Message, lite::Text>);
  ExpectEcho<lite::CornerService, lite::CornerStub, lite::Text>();
}

}  // namespace
}  // namespace corner
