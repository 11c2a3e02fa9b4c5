// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/names.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <string>

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

class NamesTest : public testing::Test {
 protected:
  // Adds a file to the pool. Its syntax statement is put in front of `text`.
  const pb::FileDescriptor& Add(const std::string& path, const std::string& text) {
    const std::string all = "syntax = 'proto3';" + text;
    pb::io::ArrayInputStream stream(all.data(), static_cast<int>(all.size()));
    pb::io::Tokenizer tokenizer(&stream, nullptr);
    pb::FileDescriptorProto proto;
    pb::compiler::Parser().Parse(&tokenizer, &proto);
    proto.set_name(path);
    const pb::FileDescriptor* file = pool_.BuildFile(proto);
    EXPECT_NE(file, nullptr) << text;
    return *file;
  }

  pb::DescriptorPool pool_;
};

TEST_F(NamesTest, OfTheExampleInTheHeader) {
  const pb::FileDescriptor& file = Add("x/boat.proto",
                                       "package harbour.boats; message Trip { message Leg {} }"
                                       "service Boat { rpc Sail(Trip.Leg) returns (Trip); }");
  const pb::ServiceDescriptor& boat = *file.service(0);
  const pb::MethodDescriptor& sail = *boat.method(0);
  EXPECT_EQ(BaseName(file), "x/boat");
  EXPECT_EQ(IncludeGuard(file), "FERRY_GENERATED_x_2fboat_2eproto");
  EXPECT_EQ(Namespace(file), "harbour::boats");
  EXPECT_EQ(ServiceClass(boat, {}), "BoatService");
  EXPECT_EQ(StubClass(boat, {}), "BoatStub");
  EXPECT_EQ(MethodName(sail, {}), "Sail");
  EXPECT_EQ(MessageType(*sail.input_type()), "::harbour::boats::Trip_Leg");
  EXPECT_EQ(FullName(sail), "harbour.boats.Boat/Sail");
  EXPECT_EQ(ConstantsNamespace(boat), "ferry::internal::generated::harbour_2eboats_2eBoat_");
  EXPECT_EQ(ConstantName(sail), "kSail");
}

TEST_F(NamesTest, WithoutPackage) {
  const pb::FileDescriptor& file =
      Add("a.proto", "message M {} service S { rpc R(M) returns (M); }");
  EXPECT_EQ(Namespace(file), "");
  EXPECT_EQ(MessageType(*file.message_type(0)), "::M");
  EXPECT_EQ(FullName(*file.service(0)->method(0)), "S/R");
}

TEST_F(NamesTest, WellKnownTypesAreWrittenWithTheirNamespace) {
  const pb::FileDescriptor& file =
      Add("google/protobuf/empty.proto", "package google.protobuf; message Empty {}");
  EXPECT_EQ(MessageType(*file.message_type(0)), "::google::protobuf::Empty");
}

TEST_F(NamesTest, MethodsAvoidKeywordsMembersAndEachOther) {
  const pb::FileDescriptor& file = Add("a.proto",
                                       "message M {} service S { rpc new(M) returns (M);"
                                       "rpc delete(M) returns (M); rpc delete_(M) returns (M);"
                                       "rpc ferry_methods(M) returns (M); rpc SStub(M) returns (M);"
                                       "rpc EOF(M) returns (M); rpc EOF_(M) returns (M); }");
  const pb::ServiceDescriptor& service = *file.service(0);
  const char* const expected[] = {"new_",   "delete__", "delete_", "ferry_methods_",
                                  "SStub_", "EOF__",    "EOF_"};
  for (int i = 0; i < service.method_count(); ++i) {
    EXPECT_EQ(MethodName(*service.method(i), {}), expected[i]);
  }
}

TEST_F(NamesTest, ClassesAvoidWhatTheirOwnNamespaceDefines) {
  Add("other.proto", "package p.rpc; message SService {}");
  const pb::FileDescriptor& file =
      Add("a.proto", "package p; import 'other.proto'; message SStub {} service S {}");
  const Options options = {"rpc"};
  EXPECT_EQ(ClassNamespace(file, options), "p::rpc");
  EXPECT_EQ(ServiceClass(*file.service(0), options), "SService_");
  EXPECT_EQ(StubClass(*file.service(0), options), "SStub");
}

TEST_F(NamesTest, ConstantsOfAServiceThatIsAKeywordAreNone) {
  const pb::FileDescriptor& file = Add("a.proto", "service class {}");
  EXPECT_EQ(ConstantsNamespace(*file.service(0)), "ferry::internal::generated::class_");
}

TEST_F(NamesTest, ClassesAvoidWhatTheFileAndItsImportsDefine) {
  Add("other.proto", "package p; message SService {} enum SStub { Z = 0; }");
  const pb::FileDescriptor& importing =
      Add("a.proto", "package p; import 'other.proto'; message SService_ {} service S {}");
  EXPECT_EQ(ServiceClass(*importing.service(0), {}), "SService__");
  EXPECT_EQ(StubClass(*importing.service(0), {}), "SStub_");
}

TEST_F(NamesTest, ClassesIgnoreFilesThatAreNotImported) {
  Add("other.proto", "package p; message SService {}");
  const pb::FileDescriptor& file = Add("a.proto", "package p; service S {}");
  EXPECT_EQ(ServiceClass(*file.service(0), {}), "SService");
}

TEST_F(NamesTest, ClassesAvoidServicesOnlyWhenProtobufMakesClassesOfThem) {
  const pb::FileDescriptor& plain = Add("a.proto", "package p; service S {} service SService {}");
  EXPECT_EQ(ServiceClass(*plain.service(0), {}), "SService");
  const pb::FileDescriptor& generic = Add("b.proto",
                                          "package q; option cc_generic_services = true;"
                                          "service S {} service SService {}");
  EXPECT_EQ(ServiceClass(*generic.service(0), {}), "SService_");
}

}  // namespace
}  // namespace ferry::codegen
