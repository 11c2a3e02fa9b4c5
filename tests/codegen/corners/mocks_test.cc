// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Mocks: those of all corners compile, and those of each shape are served and called.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "ferry/rpc/in_process.h"
#include "names/messages.ferry_mock.h"
#include "names/methods.ferry_mock.h"
#include "names/services.ferry_mock.h"
#include "options/comments.ferry_mock.h"
#include "options/deprecated.ferry_mock.h"
#include "options/generic.ferry_mock.h"
#include "options/namespaced.ferry_mock.h"
#include "packages/absl.ferry_mock.h"
#include "packages/ferry.ferry_mock.h"
#include "packages/grpc.ferry_mock.h"
#include "packages/left/same.ferry_mock.h"
#include "packages/none.ferry_mock.h"
#include "packages/none_keyword.ferry_mock.h"
#include "packages/odd-name.v1.ferry_mock.h"
#include "packages/right/same.ferry_mock.h"
#include "packages/shadowing.ferry_mock.h"
#include "packages/std.ferry_mock.h"
#include "packages/unix.ferry_mock.h"
#include "streams/names.ferry_mock.h"
#include "streams/shapes.ferry_mock.h"
#include "types/imports.ferry_mock.h"
#include "types/lite.ferry_mock.h"
#include "types/messages.ferry_mock.h"
#include "types/proto2.ferry_mock.h"
#include "types/public.ferry_mock.h"

namespace corner::streams {
namespace {

using ferry::ServerContext;
using testing::_;
using testing::Property;
using testing::StrictMock;

Text WithText(const std::string& text) {
  Text message;
  message.set_text(text);
  return message;
}

TEST(MockTest, EachShapeIsExpectedAndCalled) {
  StrictMock<MockShapesService> shapes;
  EXPECT_CALL(shapes, Unary(_, Property(&Text::text, "ask"), _))
      .WillOnce([](ServerContext&, const Text&, Text& reply) {
        reply.set_text("answer");
        return absl::OkStatus();
      });
  EXPECT_CALL(shapes, ServerStream)
      .WillOnce([](ServerContext&, const Text&, ferry::ServerWriter<Text>& replies) {
        EXPECT_TRUE(replies.Write(WithText("one")));
        return absl::DataLossError("after one");
      });
  EXPECT_CALL(shapes, ClientStream)
      .WillOnce([](ServerContext&, ferry::ServerReader<Text>& requests, Text& reply) {
        for (Text text; requests.Read(&text);) reply.set_text(reply.text() + text.text());
        return absl::OkStatus();
      });
  EXPECT_CALL(shapes, TwoWayStream)
      .WillOnce([](ServerContext&, ferry::ServerReaderWriter<Text, Text>& stream) {
        for (Text text; stream.Read(&text);) EXPECT_TRUE(stream.Write(text));
        return absl::OkStatus();
      });
  std::promise<void> noted;
  EXPECT_CALL(shapes, OneWay(_, Property(&Text::text, "note")))
      .WillOnce([&](ServerContext&, const Text&) {
        noted.set_value();
        return absl::OkStatus();
      });

  absl::StatusOr<std::unique_ptr<ferry::InProcess>> served = ferry::InProcess::Serve({&shapes});
  ASSERT_TRUE(served.ok()) << served.status();
  ShapesStub stub((*served)->channel());
  Text text;
  EXPECT_TRUE(stub.Unary(WithText("ask"), &text).ok());
  EXPECT_EQ(text.text(), "answer");
  ferry::ClientReader<Text> reader = stub.ServerStream(WithText(""));
  EXPECT_TRUE(reader.Read(&text));
  EXPECT_FALSE(reader.Read(&text));
  EXPECT_EQ(reader.Finish().message(), "after one");
  ferry::ClientWriter<Text> writer = stub.ClientStream(&text);
  EXPECT_TRUE(writer.Write(WithText("a")) && writer.Write(WithText("b")));
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(text.text(), "ab");
  ferry::ClientReaderWriter<Text, Text> stream = stub.TwoWayStream();
  EXPECT_TRUE(stream.Write(WithText("x")) && stream.Read(&text));
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_TRUE(stub.OneWay(WithText("note")).ok());
  noted.get_future().wait();
}

TEST(InProcessTest, WhatCannotBeServedIsRefused) {
  MockShapesService shapes;
  absl::StatusOr<std::unique_ptr<ferry::InProcess>> served =
      ferry::InProcess::Serve({&shapes, &shapes});
  EXPECT_EQ(served.status().code(), absl::StatusCode::kAlreadyExists) << served.status();
}

TEST(InProcessTest, ItsEndEndsTheCallsOfCopies) {
  MockShapesService shapes;
  absl::StatusOr<std::unique_ptr<ferry::InProcess>> served = ferry::InProcess::Serve({&shapes});
  ASSERT_TRUE(served.ok()) << served.status();
  ShapesStub stub((*served)->channel());
  served->reset();
  absl::Status status = stub.Unary(WithText("ask")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

}  // namespace
}  // namespace corner::streams
