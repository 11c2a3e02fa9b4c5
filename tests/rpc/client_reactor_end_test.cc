// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// How streams end that no thread of the client waits for.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/rpc/client_reactor_test.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

class ClientReactorEndTest : public ClientReactorTest {};
INSTANTIATE_TEST_SUITE_P(All, ClientReactorEndTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(ClientReactorEndTest, CancelEndsItFromAnyThread) {
  Signal began;
  service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    began.Set();
    Item item;
    EXPECT_FALSE(stream.Read(&item));
    EXPECT_TRUE(context.IsCancelled());
    return absl::OkStatus();
  };
  StartAsync();
  Chatter chatter;
  stub_->Chat(chatter);
  began.Await();
  chatter.Cancel();
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorEndTest, ACancellationAndADeadlineHold) {
  ChatBack();
  StartAsync();
  Cancellation cancellation;
  CallOptions cancelled, timed;
  cancelled.cancellation = &cancellation;
  timed.timeout = absl::Milliseconds(20);
  Chatter first, second, third;
  stub_->Chat(first, cancelled);
  stub_->Chat(second, timed);
  EXPECT_EQ(second.outcome.Await().code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(first.outcome.is_set());
  cancellation.Cancel();
  EXPECT_EQ(first.outcome.Await().code(), StatusCode::kCancelled);
  stub_->Chat(third, cancelled);  // is already
  EXPECT_EQ(third.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorEndTest, AMessageThatCannotBeSentEndsIt) {
  ChatBack();
  ChannelOptions options;
  options.max_message = 1000;
  StartAsync(options);
  Chatter chatter;
  stub_->Chat(chatter);
  EXPECT_FALSE(chatter.Write(Sized(2000)));
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kResourceExhausted);
}

TEST_P(ClientReactorEndTest, TheEndOfTheConnectionEndsIt) {
  Signal began;
  service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>&) {
    began.Set();
    while (!context.IsCancelled()) std::this_thread::yield();
    return absl::OkStatus();
  };
  StartAsync();
  Chatter chatter;
  stub_->Chat(chatter);
  began.Await();
  channel_->Close();
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorEndTest, TheLastHandleMayGoInItsEnd) {
  ChatBack();
  auto lives = std::make_shared<bool>(true);
  ChannelOptions options;
  options.on_event = [lives](const Event&) {};
  StartAsync(std::exchange(options, {}));
  Chatter chatter;
  Signal gone;
  chatter.on_done = [&] {
    DropChannel();
    gone.Set();
  };
  stub_->Chat(chatter);
  chatter.WritesDone();
  gone.Await();
  EXPECT_TRUE(chatter.outcome.Await().ok()) << chatter.outcome.Await();
  while (lives.use_count() > 1) std::this_thread::yield();  // on a thread of its own
}

TEST_P(ClientReactorEndTest, TheLastHandleThatGoesEndsItAndWaits) {
  ChatBack();
  StartAsync();
  std::vector<std::unique_ptr<Chatter>> chatters;
  for (int i = 0; i < 20; ++i) {
    chatters.push_back(std::make_unique<Chatter>());
    stub_->Chat(*chatters.back());
  }
  DropChannel();
  for (const auto& chatter : chatters) EXPECT_TRUE(chatter->outcome.is_set());
}

TEST_P(ClientReactorEndTest, CancelEndsOneThatWaitsForAConnection) {
  StartAsync();
  StopAndNotice();
  CallOptions options, with_cancellation;
  options.wait_for_ready = with_cancellation.wait_for_ready = true;
  Cancellation cancellation;
  with_cancellation.cancellation = &cancellation;
  Chatter chatter, cancelled;
  stub_->Chat(chatter, options);
  stub_->Chat(cancelled, with_cancellation);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  chatter.Cancel();
  cancellation.Cancel();
  EXPECT_EQ(chatter.outcome.Await().code(), StatusCode::kCancelled);
  EXPECT_EQ(cancelled.outcome.Await().code(), StatusCode::kCancelled);
}

TEST_P(ClientReactorEndTest, CancelEndsOneThatIsPausedAndHasAllMessages) {
  Reader reader;
  PauseAtOnce(reader);
  reader.Cancel();
  reader.outcome.Await();
  EXPECT_EQ(reader.reads, 1);
}

TEST_P(ClientReactorEndTest, CancelEndsOneThatIsPausedAlsoWhenItsChannelHasEnded) {
  Reader reader;
  PauseAtOnce(reader);
  channel_->Close();
  DropChannel();
  EXPECT_FALSE(reader.outcome.is_set());
  reader.Cancel();
  EXPECT_EQ(reader.outcome.Await().code(), StatusCode::kCancelled);
  EXPECT_EQ(reader.reads, 1);
}

// Callbacks that block, and start further streams; cancelled from outside at any moment.
TEST_P(ClientReactorEndTest, ManyEndOnceWhateverHappens) {
  ChatBack();
  CountUpTo(20);
  StartAsync();
  constexpr size_t kStreams = 200;
  std::vector<std::unique_ptr<Chatter>> chatters;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < static_cast<int>(kStreams); ++i) {
    auto chatter = std::make_unique<Chatter>();
    auto reader = std::make_unique<Reader>();
    chatter->on_read = [c = chatter.get(), i](const Item& item) {
      if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      if (item.number() == i % 10) return c->WritesDone();
      c->Write(Numbered(item.number() + 1));
    };
    CallOptions options;
    if (i % 5 == 1) options.timeout = absl::Microseconds(i * 20);
    stub_->Chat(*chatter, options);
    stub_->Count(Item(), *reader, options);
    if (!chatter->Write(Numbered(0))) chatter->Cancel();
    if (i % 3 == 0) chatter->Cancel();
    chatters.push_back(std::move(chatter));
    readers.push_back(std::move(reader));
  }
  for (size_t i = 0; i < kStreams; ++i) {
    if (i % 7 == 0) readers[i]->Cancel();
    chatters[i]->outcome.Await();
    const absl::Status& counted = readers[i]->outcome.Await();
    if (i % 5 != 1 && i % 7 != 0) {
      EXPECT_TRUE(counted.ok()) << counted;
      EXPECT_EQ(readers[i]->numbers, UpTo(20));
    }
  }
}

}  // namespace
}  // namespace ferry::test
