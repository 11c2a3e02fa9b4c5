// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Servers and channels in the program's own loop, which is poll(2) here.

#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/answer.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "tests/rpc/reactors.h"
#include "tests/rpc/talk_service.h"
#include "tests/support/fault_injector.h"

namespace ferry::test {
namespace {

absl::Status SendBack(ServerContext&, const Item& request, Item& reply) {
  reply = request;
  return absl::OkStatus();
}

size_t ThreadsHere() {
  std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

class LoopTest : public testing::TestWithParam<const char*> {
 protected:
  ~LoopTest() override {
    DropChannel();
    if (!server_.has_value()) return;
    server_->Shutdown();
    RunUntil([this] { return has_ended_; });
    EXPECT_TRUE(server_->outcome().ok()) << server_->outcome();
  }

  void StartServer() {
    server_.emplace();
    server_->Register(service_);
    ASSERT_TRUE(server_->Listen(address_).ok());
    absl::Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started;
    has_ended_ = false;
  }

  // On a thread of its own, since it waits for the server.
  Channel ConnectWith(const ChannelOptions& options) {
    std::optional<Channel> channel;
    std::atomic<bool> done{false};
    std::thread connecting([&] {
      channel.emplace(ConnectWhenServed(address_, options));
      done = true;
    });
    while (!done) {
      has_ended_ = !server_->Dispatch();
      std::this_thread::yield();
    }
    connecting.join();
    return *channel;
  }

  void Start(ChannelOptions options = {}) {
    StartServer();
    options.in_loop = true;
    channel_.emplace(ConnectWith(options));
    stub_.emplace(*channel_);
  }
  void DropChannel() {
    stub_.reset();
    channel_.reset();
  }

  // Dispatches what poll says, and sleeps for it.
  void RunUntil(const std::function<bool()>& done) {
    while (!done()) {
      pollfd handles[] = {{has_ended_ ? -1 : server_->wait_handle(), POLLIN, 0},
                          {channel_.has_value() ? channel_->wait_handle() : -1, POLLIN, 0}};
      ASSERT_GT(poll(handles, 2, 20000), 0) << "nothing happens any more";
      ++wakeups_;
      if (handles[0].revents != 0) has_ended_ = !server_->Dispatch();
      if (handles[1].revents != 0 && channel_.has_value()) channel_->Dispatch();
    }
  }

  void OweAnswers() {
    service_.say = [this](ServerContext& context, const Item&, Item& reply) {
      owed_.push_back(AnswerLater(context, reply));
      return absl::OkStatus();
    };
  }

  static Item Numbered(int number) {
    Item item;
    item.set_number(number);
    return item;
  }

  TalkImpl service_;
  TalkImpl ours_;
  TempFolder folder_;
  std::string address_ = std::string(GetParam()) + ":" +
                         (std::string(GetParam()) == "inproc" ? "loop" : folder_.path() + "/loop");
  std::optional<Server> server_;
  bool has_ended_ = true;
  std::optional<Channel> channel_;
  std::optional<TalkStub> stub_;
  int wakeups_ = 0;
  std::vector<Answer<Item>> owed_;
};

INSTANTIATE_TEST_SUITE_P(All, LoopTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(LoopTest, OneThreadDoesBothEndsWork) {
  service_.say = SendBack;
  std::thread([] {}).join();  // a sanitizer starts one of its own with the first
  size_t threads = ThreadsHere();
  Start();
  constexpr int kCalls = 2000, kInFlight = 64;
  int started = 0, done = 0;
  std::thread::id here = std::this_thread::get_id();
  std::function<void()> call = [&] {
    int number = started++;
    stub_->Say(Numbered(number), [&, number](absl::StatusOr<Item> reply) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->number(), number);
      EXPECT_EQ(std::this_thread::get_id(), here);
      ++done;
      if (started < kCalls) call();
    });
  };
  for (int i = 0; i < kInFlight; ++i) call();
  RunUntil([&] { return done == kCalls; });
  EXPECT_EQ(ThreadsHere(), threads);
}

TEST_P(LoopTest, IdleHandlesAreSilent) {
  service_.say = SendBack;
  Start();
  bool done = false;
  stub_->Say(Numbered(1), [&](absl::StatusOr<Item>) { done = true; });
  RunUntil([&] { return done; });
  pollfd handles[] = {{server_->wait_handle(), POLLIN, 0}, {channel_->wait_handle(), POLLIN, 0}};
  int dispatched = 0;
  while (poll(handles, 2, 50) > 0) {  // what is still to be found empty
    server_->Dispatch();
    channel_->Dispatch();
    ASSERT_LT(++dispatched, 20);
  }
}

TEST_P(LoopTest, DeadlinesWakeTheLoop) {
  OweAnswers();
  Start();
  int ended = 0;
  for (int i : {2, 1, 3}) {
    CallOptions options;
    options.timeout = absl::Milliseconds(10 * i);
    stub_->Say(
        Item(),
        [&](absl::StatusOr<Item> reply) {
          EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
          ++ended;
        },
        options);
  }
  RunUntil([&] { return ended == 3 && owed_.size() == 3; });
  RunUntil([&] {
    for (const Answer<Item>& answer : owed_) {
      if (!answer.IsCancelled()) return false;
    }
    return true;
  });
  EXPECT_LT(wakeups_, 100);
}

TEST_P(LoopTest, AnswersComeFromOtherThreads) {
  std::vector<std::thread> answering;
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    Answer<Item> answer = AnswerLater(context, reply);
    answer.reply() = request;
    answering.emplace_back([answer = std::move(answer)]() mutable { answer.Finish(); });
    return absl::OkStatus();
  };
  Start();
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    stub_->Say(Numbered(i), [&, i](absl::StatusOr<Item> reply) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->number(), i);
      ++done;
    });
  }
  RunUntil([&] { return done == 20; });
  for (std::thread& thread : answering) thread.join();
}

TEST_P(LoopTest, BothEndsServe) {
  service_.say = [](ServerContext& context, const Item& request, Item& reply) {
    Answer<Item> answer = AnswerLater(context, reply);
    TalkStub(context.channel())
        .Say(request, [answer = std::move(answer)](absl::StatusOr<Item> back) mutable {
          if (back.ok()) answer.reply() = *back;
          answer.Finish(back.status());
        });
    return absl::OkStatus();
  };
  ours_.say = [](ServerContext&, const Item& request, Item& reply) {
    reply = Numbered(2 * request.number());
    return absl::OkStatus();
  };
  ChannelOptions options;
  options.services = {&ours_};
  Start(options);
  int done = 0;
  for (int i = 0; i < 30; ++i) {
    stub_->Say(Numbered(i), [&, i](absl::StatusOr<Item> reply) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->number(), 2 * i);
      ++done;
    });
  }
  RunUntil([&] { return done == 30; });
}

TEST_P(LoopTest, OneThreadStreamsBothWays) {
  std::atomic<int> living{0};
  service_.chat = [&](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
    return React(context, stream, *new EchoReactor(living));
  };
  std::thread([] {}).join();  // a sanitizer starts one of its own with the first
  size_t threads = ThreadsHere();
  Start();
  constexpr int kChats = 8, kMessages = 500;
  std::vector<std::unique_ptr<Chatter>> chatters;
  int sent[kChats] = {}, received = 0;
  Item item;
  item.set_body(std::string(3000, 'x'));
  for (int i = 0; i < kChats; ++i) {
    auto chatter = std::make_unique<Chatter>();
    chatter->on_writable = [&, i, c = chatter.get()] {
      for (; sent[i] < kMessages; ++sent[i]) {
        item.set_number(sent[i]);
        if (!c->Write(item)) return;
      }
      c->WritesDone();
    };
    chatter->on_read = [&](const Item&) { ++received; };
    chatters.push_back(std::move(chatter));
  }
  for (auto& chatter : chatters) {
    stub_->Chat(*chatter);
    chatter->OnWritable();
  }
  RunUntil([&] {
    for (auto& chatter : chatters) {
      if (!chatter->outcome.is_set()) return false;
    }
    return living == 0;
  });
  EXPECT_EQ(received, kChats * kMessages);
  for (auto& chatter : chatters) {
    EXPECT_TRUE(chatter->outcome.Await().ok()) << chatter->outcome.Await();
    for (size_t i = 0; i < kMessages; ++i) {
      ASSERT_EQ(chatter->numbers[i], static_cast<int>(i));
    }
  }
  EXPECT_EQ(ThreadsHere(), threads);
}

TEST_P(LoopTest, BlockingCallsReadForThemselves) {
  service_.say = SendBack;
  Start();
  std::atomic<bool> done{false};
  int asynchronous = 0;
  stub_->Say(Numbered(1), [&](absl::StatusOr<Item>) { ++asynchronous; });
  std::thread calling([&] {
    for (int i = 0; i < 200; ++i) {
      Item reply;
      absl::Status status = stub_->Say(Numbered(i), &reply);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(reply.number(), i);
    }
    done = true;
  });
  while (!done) {
    server_->Dispatch();  // the channel's thread is the one that calls
    std::this_thread::yield();
  }
  calling.join();
  RunUntil([&] { return asynchronous == 1; });
}

TEST_P(LoopTest, AServerThatCannotStartEnds) {
  Server nowhere;
  EXPECT_EQ(nowhere.Start().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(nowhere.wait_handle(), -1);
  EXPECT_FALSE(nowhere.Dispatch());
  Server crowded;
  crowded.Register(service_);
  ASSERT_TRUE(crowded.Listen(address_).ok());
  {
    FaultInjector no_epoll = FaultInjector::Fail(internal::sys::Call::kEpoll, 4, EMFILE);
    EXPECT_FALSE(crowded.Start().ok());
  }
  EXPECT_FALSE(crowded.Dispatch());
}

TEST_P(LoopTest, TheEndOfTheServerIsDispatched) {
  OweAnswers();
  Start();
  int ended = 0;
  for (int i = 0; i < 10; ++i) {
    stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
      EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable) << reply.status();
      ++ended;
    });
  }
  RunUntil([&] { return owed_.size() == 10; });
  server_->Shutdown();
  RunUntil([&] { return has_ended_ && ended == 10; });
}

TEST_P(LoopTest, AShutdownWaitsForAnswersAsLongAsItsGrace) {
  std::optional<Answer<Item>> owed;
  service_.say = [&](ServerContext& context, const Item& request, Item& reply) {
    owed.emplace(AnswerLater(context, reply));
    owed->reply() = request;
    return absl::OkStatus();
  };
  Start();
  bool done = false;
  stub_->Say(Numbered(4), [&](absl::StatusOr<Item> reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    done = true;
  });
  RunUntil([&] { return owed.has_value(); });
  server_->Shutdown(absl::InfiniteDuration());
  for (int i = 0; i < 5; ++i) RunUntil([&, before = wakeups_] { return wakeups_ > before; });
  EXPECT_FALSE(done || has_ended_);
  owed->Finish();
  owed.reset();
  RunUntil([&] { return done && has_ended_; });
}

TEST_P(LoopTest, TheLastHandleEndsItsCalls) {
  service_.say = [&](ServerContext& context, const Item&, Item& reply) {
    AnswerLater(context, reply);
    return absl::OkStatus();
  };
  Start();
  int ended = 0;
  for (int i = 0; i < 10; ++i) {
    stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
      EXPECT_EQ(reply.status().code(), absl::StatusCode::kCancelled) << reply.status();
      ++ended;
    });
  }
  DropChannel();
  EXPECT_EQ(ended, 10);
}

TEST_P(LoopTest, ALostServerIsConnectedToAgain) {
  service_.say = SendBack;
  Start();
  server_->Shutdown();
  RunUntil([&] { return has_ended_; });
  server_.reset();
  StartServer();
  // The call connects as it is dispatched, which takes a server elsewhere.
  std::atomic<bool> stop{false};
  std::thread serving([&] {
    while (!stop) server_->Dispatch();
  });
  bool done = false;
  CallOptions options;
  options.wait_for_ready = true;
  stub_->Say(
      Numbered(9),
      [&](absl::StatusOr<Item> reply) {
        EXPECT_TRUE(reply.ok()) << reply.status();
        done = true;
      },
      options);
  while (!done) channel_->Dispatch();
  stop = true;
  serving.join();
}

}  // namespace
}  // namespace ferry::test
