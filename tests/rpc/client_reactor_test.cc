// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Streams that no thread of the client waits for.

#include "ferry/rpc/client_reactor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "ferry/rpc/interceptor.h"
#include "tests/rpc/client_reactor_test.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

INSTANTIATE_TEST_SUITE_P(All, ClientReactorTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(ClientReactorTest, AReaderIsToldEachMessageInOrderAndThenTheEnd) {
  CountUpTo(5000);
  StartAsync();
  Reader reader;
  stub_->Count(Item(), reader);
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, UpTo(5000));
}

TEST_P(ClientReactorTest, AWriterIsToldWhenThereIsRoomAgain) {
  SumUp();
  StartAsync();
  Writer writer;
  Item item = Sized(10'000);
  item.set_number(1);
  std::atomic<int> written{0};
  writer.on_writable = [&] {
    while (written < 500 && writer.Write(item)) ++written;
    if (written == 500) writer.WritesDone();
  };
  stub_->Sum(writer);
  while (writer.Write(item)) ++written;
  EXPECT_GT(written, 0);
  EXPECT_LT(written, 500);  // nobody reads
  may_read_.Set();
  EXPECT_TRUE(writer.outcome.Await().ok()) << writer.outcome.Await();
  EXPECT_EQ(writer.reply().number(), 500);
}

TEST_P(ClientReactorTest, OneThatReadsAndWritesGoesOnInItsCallbacks) {
  ChatBack();
  StartAsync();
  Chatter chatter;
  chatter.on_read = [&](const Item& item) {
    if (item.number() == 999) return chatter.WritesDone();
    EXPECT_TRUE(chatter.Write(Numbered(item.number() + 1)));
  };
  Metadata trailing;
  CallOptions options;
  options.trailing_metadata = &trailing;
  stub_->Chat(chatter, options);
  EXPECT_TRUE(chatter.Write(Numbered(0)));
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  EXPECT_EQ(chatter.numbers, UpTo(1000));
  EXPECT_EQ(trailing.Find("reads"), "all");
  EXPECT_FALSE(chatter.Write(Item()));  // it has ended
  chatter.Cancel();
}

TEST_P(ClientReactorTest, NothingComesWhileReadsArePausedAndTheServerWaits) {
  CountUpTo(1000, 10'000);
  StartAsync();
  Reader reader;
  Signal paused;
  reader.on_read = [&](const Item& item) {
    if (item.number() != 2) return;
    reader.PauseReads();
    paused.Set();
  };
  stub_->Count(Item(), reader);
  paused.Await();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(reader.reads, 3);
  reader.ResumeReads();
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, UpTo(1000));
}

TEST_P(ClientReactorTest, AnotherThreadMayLetReadsGoOnAtAnyMoment) {
  CountUpTo(500);
  StartAsync();
  Reader reader;
  reader.on_read = [&](const Item&) { reader.PauseReads(); };
  stub_->Count(Item(), reader);
  while (!reader.outcome.is_set()) reader.ResumeReads();
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, UpTo(500));
}

TEST_P(ClientReactorTest, TheHandlersStatusComesBehindItsMessages) {
  service_.count = [](ServerContext&, const Item&, ServerWriter<Item>& replies) {
    replies.Write(Numbered(0));
    return absl::NotFoundError("no more");
  };
  StartAsync();
  Reader reader;
  stub_->Count(Item(), reader);
  EXPECT_EQ(reader.outcome.Await().code(), StatusCode::kNotFound);
  EXPECT_EQ(reader.numbers, UpTo(1));
}

TEST_P(ClientReactorTest, OneWithoutAConnectionConnectsAndDoesThenWhatWasWanted) {
  ChatBack();
  StartAsync();
  Stop();
  Chatter refused;
  stub_->Chat(refused);
  EXPECT_EQ(refused.outcome.Await().code(), StatusCode::kUnavailable);
  CallOptions options;
  options.wait_for_ready = true;
  Chatter chatter;
  chatter.on_writable = [&] {
    EXPECT_TRUE(chatter.Write(Numbered(7)));
    chatter.WritesDone();
  };
  stub_->Chat(chatter, options);
  if (chatter.Write(Numbered(7))) chatter.WritesDone();
  StartServer({});
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  EXPECT_EQ(chatter.numbers, std::vector<int>{7});
}

TEST_P(ClientReactorTest, ARequestThatWaitsForAConnectionArrivesWhole) {
  Item request = Numbered(3);
  request.mutable_inner()->set_number(4);
  request.mutable_inner()->mutable_inner()->set_body("innermost");
  service_.count = [expected = request.SerializeAsString()](ServerContext&, const Item& got,
                                                            ServerWriter<Item>& replies) {
    EXPECT_EQ(got.SerializeAsString(), expected);
    replies.Write(got);
    return absl::OkStatus();
  };
  StartAsync();
  StopAndNotice();
  CallOptions options;
  options.wait_for_ready = true;
  Reader reader;
  stub_->Count(request, reader, options);
  StartServer({});
  EXPECT_TRUE(reader.outcome.Await().ok()) << reader.outcome.Await();
  EXPECT_EQ(reader.numbers, std::vector<int>{3});
}

TEST_P(ClientReactorTest, CallbacksMayCallAndWait) {
  SumUp();
  service_.say = SendBack;
  StartAsync();
  Writer writer;
  Item item = Sized(10'000);
  std::atomic<int> written{0};
  writer.on_writable = [&] {
    for (int i = 0; i < 3; ++i) {
      absl::StatusOr<Item> said = stub_->Say(Numbered(i));
      ASSERT_TRUE(said.ok()) << said.status();
      EXPECT_EQ(said->number(), i);
    }
    while (written < 100 && writer.Write(item)) ++written;
    if (written == 100) writer.WritesDone();
  };
  stub_->Sum(writer);
  while (writer.Write(item)) ++written;
  may_read_.Set();
  EXPECT_TRUE(writer.outcome.Await().ok()) << writer.outcome.Await();
  EXPECT_EQ(written, 100);
}

TEST_P(ClientReactorTest, AChannelWithoutAThreadForCallbacksSaysSo) {
  ChatBack();
  Start();
  Chatter chatter;
  stub_->Chat(chatter);
  ASSERT_TRUE(chatter.outcome.is_set());
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kFailedPrecondition);
}

class Ends final : public ClientInterceptor {
 public:
  absl::Status OnCall(const Method&, CallOptions& options, void*&) override {
    options.metadata.Add("who", "me");
    return refuses ? absl::PermissionDeniedError("not you") : absl::OkStatus();
  }
  void OnEnd(const Method&, void*, absl::Status& status) override { seen.push_back(status.code()); }

  bool refuses = false;
  std::vector<StatusCode> seen;
};

TEST_P(ClientReactorTest, InterceptorsSeeIt) {
  service_.count = [](ServerContext& context, const Item&, ServerWriter<Item>&) {
    EXPECT_EQ(context.metadata().Find("who"), "me");
    return absl::DataLossError("");
  };
  Ends ends;
  ChannelOptions options;
  options.interceptors = {&ends};
  StartAsync(options);
  Reader seen;
  stub_->Count(Item(), seen);
  EXPECT_EQ(seen.outcome.Await().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ends.seen, std::vector<StatusCode>{StatusCode::kDataLoss});
  ends.refuses = true;
  Reader refused;
  stub_->Count(Item(), refused);
  EXPECT_EQ(refused.outcome.Await().code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace ferry::test
