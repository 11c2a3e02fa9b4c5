// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "packages/absl.ferry.h"
#include "packages/ferry.ferry.h"
#include "packages/grpc.ferry.h"
#include "packages/left/same.ferry.h"
#include "packages/none.ferry.h"
#include "packages/none_keyword.ferry.h"
#include "packages/odd-name.v1.ferry.h"
#include "packages/right/same.ferry.h"
#include "packages/shadowing.ferry.h"
#include "packages/std.ferry.h"
#include "packages/unix.ferry.h"
#include "tests/codegen/corners/served.h"

namespace {

using ferry::test::Echo;
using ferry::test::ExpectEcho;
using ferry::test::Served;
using ferry::test::TextOf;

TEST(PackageTest, MayBeMissing) { ExpectEcho<CornerService, CornerStub, Text>(); }

TEST(PackageTest, MayBeMissingForAServiceNamedLikeAKeyword) {
  ExpectEcho<classService, classStub, Text>();
}

TEST(PackageTest, MayBeNamedGrpc) {
  ExpectEcho<grpc::CornerService, grpc::CornerStub, grpc::Text>();
}

TEST(PackageTest, MayBeNamedAbsl) {
  ExpectEcho<absl::CornerService, absl::CornerStub, absl::Text>();
}

TEST(PackageTest, MayBeNamedFerry) {
  ExpectEcho<ferry::CornerService, ferry::CornerStub, ferry::Text>();
}

TEST(PackageTest, MayBeNamedStd) { ExpectEcho<std::CornerService, std::CornerStub, std::Text>(); }

TEST(PackageTest, MayBeNamedUnix) {
  ExpectEcho<unix::CornerService, unix::CornerStub, unix::Text>();
}

TEST(PackageTest, MayHideItsOwnOuterPackage) {
  namespace inner = corner::shadowing::corner;
  class Wrapper final : public inner::CornerService {
    absl::Status Wrap(ferry::ServerContext&, const corner::Text& request,
                      inner::Text& reply) override {
      *reply.mutable_text() = request;
      return absl::OkStatus();
    }
  } service;
  const Served served({&service});
  corner::Text request;
  request.set_text("hello");
  const absl::StatusOr<inner::Text> reply = inner::CornerStub(served.Connect()).Wrap(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->text().text(), "hello");
}

TEST(PackageTest, TwoMayHaveServicesOfOneName) {
  Echo<corner::left::CornerService, corner::left::Text> left;
  Echo<corner::right::CornerService, corner::right::Text> right;
  const Served served({&left, &right});
  const ferry::Channel channel = served.Connect();
  corner::left::Text to_left;
  to_left.set_text("left");
  corner::right::Text to_right;
  to_right.set_text("right");
  EXPECT_EQ(TextOf(corner::left::CornerStub(channel).Get(to_left)), "left");
  EXPECT_EQ(TextOf(corner::right::CornerStub(channel).Get(to_right)), "right");
}

TEST(FileTest, NamesMayBeEqualInTwoFolders) {
  ExpectEcho<corner::left::CornerService, corner::left::CornerStub, corner::left::Text>();
  ExpectEcho<corner::right::CornerService, corner::right::CornerStub, corner::right::Text>();
}

TEST(FileTest, NamesMayHaveDashesAndDots) {
  ExpectEcho<corner::odd::CornerService, corner::odd::CornerStub, corner::odd::Text>();
}

}  // namespace
