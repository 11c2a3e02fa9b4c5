// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/shape.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <string>

#include "ferry/proto/options.pb.h"

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

// A method as it is declared.
class Parsed {
 public:
  explicit Parsed(const std::string& declaration) {
    const std::string text =
        "syntax = 'proto3'; import 'ferry/proto/options.proto'; message M {}"
        "service S { rpc R " +
        declaration + " }";
    pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
    pb::io::Tokenizer tokenizer(&stream, nullptr);
    pb::FileDescriptorProto file;
    pb::compiler::Parser().Parse(&tokenizer, &file);
    file.set_name("a.proto");
    pool_.BuildFile(file);
  }

  const pb::MethodDescriptor& method() const { return *pool_.FindMethodByName("S.R"); }

 private:
  pb::DescriptorPool pool_{pb::DescriptorPool::generated_pool()};  // it has the options
};

constexpr char kOneWay[] = " { option (ferry.one_way) = true; }";

Shape ShapeOfMethod(const std::string& declaration) {
  return ShapeOf(Parsed(declaration).method());
}

TEST(ShapeOfTest, FollowsTheStreams) {
  EXPECT_EQ(ShapeOfMethod("(M) returns (M);"), Shape::kUnary);
  EXPECT_EQ(ShapeOfMethod("(M) returns (stream M);"), Shape::kServerStream);
  EXPECT_EQ(ShapeOfMethod("(stream M) returns (M);"), Shape::kClientStream);
  EXPECT_EQ(ShapeOfMethod("(stream M) returns (stream M);"), Shape::kTwoWayStream);
}

TEST(ShapeOfTest, FollowsTheOption) {
  EXPECT_EQ(ShapeOfMethod(std::string("(M) returns (M)") + kOneWay), Shape::kOneWay);
  EXPECT_EQ(ShapeOfMethod("(M) returns (M) { option (ferry.one_way) = false; }"), Shape::kUnary);
}

TEST(CheckShapeTest, OneWayMethodsHaveNoStreams) {
  EXPECT_EQ(CheckShape(Parsed(std::string("(M) returns (M)") + kOneWay).method()), "");
  for (const char* streams : {"(stream M) returns (M)", "(M) returns (stream M)"}) {
    EXPECT_EQ(CheckShape(Parsed(streams + std::string(";")).method()), "");
    EXPECT_EQ(
        CheckShape(Parsed(streams + std::string(kOneWay)).method()),
        "S.R: a one-way method has no streams; remove \"stream\", or the option (ferry.one_way)");
  }
}

}  // namespace
}  // namespace ferry::codegen
