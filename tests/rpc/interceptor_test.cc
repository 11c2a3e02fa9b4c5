// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Interceptors of both sides.

#include "ferry/rpc/interceptor.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/answer.h"
#include "ferry/rpc/channel.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {
namespace {

// What was seen, by all. Thread contract: thread-safe.
class Seen {
 public:
  void Add(std::string what) {
    internal::MutexLock lock(mutex_);
    what_.push_back(std::move(what));
    changed_.NotifyAll();
  }
  std::vector<std::string> Await(size_t count) {
    internal::MutexLock lock(mutex_);
    while (what_.size() < count) changed_.Wait(mutex_);
    return std::exchange(what_, {});
  }

 private:
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::vector<std::string> what_ ABSL_GUARDED_BY(mutex_);
};

std::string ShortName(const Method& method) {
  return std::string(method.full_name.substr(method.full_name.rfind('/') + 1));
}

class ServerSide final : public ServerInterceptor {
 public:
  ServerSide(std::string name, Seen& seen) : name_(std::move(name)), seen_(seen) {}

  absl::Status OnCall(ServerContext& context, void*& state) override {
    EXPECT_EQ(state, nullptr);
    state = this;
    if (context.metadata().Find("refuse") == name_) {
      seen_.Add(name_ + " refuses");
      return absl::PermissionDeniedError("by " + name_);
    }
    seen_.Add(absl::StrCat(name_, " sees ", ShortName(context.method())));
    return absl::OkStatus();
  }
  void OnAnswer(ServerContext& context, void* state, absl::Status& status) override {
    EXPECT_EQ(state, this);
    context.trailing_metadata().Add("seen-by", name_);
    seen_.Add(absl::StrCat(name_, " ends ", status.message()));
    if (absl::IsAborted(status)) status = absl::DataLossError(name_ + " has changed it");
  }

 private:
  const std::string name_;
  Seen& seen_;
};

class ClientSide final : public ClientInterceptor {
 public:
  ClientSide(std::string name, Seen& seen) : name_(std::move(name)), seen_(seen) {}

  absl::Status OnCall(const Method& method, CallOptions& options, void*& state) override {
    state = this;
    if (refuses) return absl::PermissionDeniedError("by " + name_);
    options.metadata.Add("from", name_);
    seen_.Add(absl::StrCat(name_, " calls ", ShortName(method)));
    return absl::OkStatus();
  }
  void OnEnd(const Method&, void* state, absl::Status& status) override {
    EXPECT_EQ(state, this);
    seen_.Add(absl::StrCat(name_, " ended ", absl::StatusCodeToString(status.code())));
    if (absl::IsNotFound(status)) status = absl::OkStatus();
  }

  bool refuses = false;

 private:
  const std::string name_;
  Seen& seen_;
};

using Lines = std::vector<std::string>;

class InterceptorTest : public TalkTest {
 protected:
  void StartWith(std::vector<ServerInterceptor*> servers, std::vector<ClientInterceptor*> clients) {
    ServerOptions server_options;
    server_options.interceptors = std::move(servers);
    ChannelOptions options;
    options.interceptors = std::move(clients);
    options.async = true;
    Start(server_options, options);
  }
  void DropChannel() {
    stub_.reset();
    channel_.reset();
  }
  ~InterceptorTest() override { DropChannel(); }

  Seen seen_;
  ServerSide outer_{"outer", seen_}, inner_{"inner", seen_};
  ClientSide first_{"first", seen_}, second_{"second", seen_};
};

INSTANTIATE_TEST_SUITE_P(All, InterceptorTest, testing::Values("inproc", "unix"), NameOfScheme);

TEST_P(InterceptorTest, AServersSeeEachCallInOrderAndItsAnswerInReverse) {
  service_.say = [](ServerContext&, const Item&, Item&) { return absl::AbortedError("so"); };
  StartWith({&outer_, &inner_}, {});
  Metadata trailing;
  CallOptions options;
  options.trailing_metadata = &trailing;
  absl::Status status = stub_->Say(Item(), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_EQ(seen_.Await(4), (Lines{"outer sees Say", "inner sees Say", "inner ends so",
                                   "outer ends inner has changed it"}));
  EXPECT_EQ(trailing.size(), 2u);
}

TEST_P(InterceptorTest, OneThatRefusesIsTheLastToSeeACall) {
  bool ran = false;
  service_.say = [&](ServerContext&, const Item&, Item&) {
    ran = true;
    return absl::OkStatus();
  };
  StartWith({&outer_, &inner_}, {});
  CallOptions options;
  options.metadata.Add("refuse", "inner");
  absl::Status status = stub_->Say(Item(), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_EQ(seen_.Await(3), (Lines{"outer sees Say", "inner refuses", "outer ends by inner"}));
  EXPECT_FALSE(ran);
  EXPECT_EQ(stub_->Chat(options).Finish().code(), absl::StatusCode::kPermissionDenied);
}

TEST_P(InterceptorTest, EveryShapeIsSeen) {
  service_.count = [](ServerContext&, const Item&, ServerWriter<Item>& items) {
    return items.Write(Item()) ? absl::OkStatus() : absl::AbortedError("");
  };
  service_.sum = [](ServerContext&, ServerReader<Item>& items, Item&) {
    for (Item item; items.Read(&item);) {
    }
    return absl::OkStatus();
  };
  service_.chat = [](ServerContext&, ServerReaderWriter<Item, Item>&) { return absl::OkStatus(); };
  service_.note = [](ServerContext&, const Item&) { return absl::AbortedError("nowhere"); };
  StartWith({&outer_}, {});
  ASSERT_TRUE(stub_->Count(Item()).Finish().ok());
  Item reply;
  ASSERT_TRUE(stub_->Sum(&reply).Finish().ok());
  ASSERT_TRUE(stub_->Chat().Finish().ok());
  EXPECT_EQ(seen_.Await(6), (Lines{"outer sees Count", "outer ends ", "outer sees Sum",
                                   "outer ends ", "outer sees Chat", "outer ends "}));
  ASSERT_TRUE(stub_->Note(Item()).ok());
  EXPECT_EQ(seen_.Await(2), (Lines{"outer sees Note", "outer ends "}));
}

TEST_P(InterceptorTest, AnAnswerThatComesLaterIsSeenThen) {
  Signal may_answer;
  std::thread answering;
  service_.say = [&](ServerContext& context, const Item&, Item& reply) {
    answering = std::thread([&, answer = AnswerLater(context, reply)]() mutable {
      may_answer.Await();
      answer.Finish(absl::OutOfRangeError("later"));
    });
    return absl::OkStatus();
  };
  StartWith({&outer_}, {});
  Signal done;
  stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kOutOfRange) << reply.status();
    done.Set();
  });
  EXPECT_EQ(seen_.Await(1), Lines{"outer sees Say"});
  may_answer.Set();
  done.Await();
  EXPECT_EQ(seen_.Await(1), Lines{"outer ends later"});
  DropChannel();
  Stop();
  answering.join();
}

TEST_P(InterceptorTest, AChannelsChangeWhatIsSentAndWhatIsReturned) {
  service_.say = [](ServerContext& context, const Item&, Item& reply) {
    for (const auto& [name, value] : context.metadata()) reply.mutable_body()->append(value + ";");
    return absl::OkStatus();
  };
  service_.chat = [](ServerContext&, ServerReaderWriter<Item, Item>&) {
    return absl::NotFoundError("");
  };
  StartWith({}, {&first_, &second_});
  absl::StatusOr<Item> reply = stub_->Say(Item());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->body(), "first;second;");
  EXPECT_EQ(seen_.Await(4),
            (Lines{"first calls Say", "second calls Say", "second ended OK", "first ended OK"}));
  EXPECT_TRUE(stub_->Chat().Finish().ok());
  EXPECT_EQ(seen_.Await(4), (Lines{"first calls Chat", "second calls Chat",
                                   "second ended NOT_FOUND", "first ended OK"}));
  { ClientReaderWriter<Item, Item> dropped = stub_->Chat(); }
  EXPECT_EQ(seen_.Await(4), (Lines{"first calls Chat", "second calls Chat",
                                   "second ended CANCELLED", "first ended CANCELLED"}));
  Signal done;
  stub_->Say(Item(), [&](absl::StatusOr<Item> asynchronous) {
    EXPECT_TRUE(asynchronous.ok()) << asynchronous.status();
    done.Set();
  });
  done.Await();
  EXPECT_EQ(seen_.Await(4),
            (Lines{"first calls Say", "second calls Say", "second ended OK", "first ended OK"}));
}

TEST_P(InterceptorTest, OneOfAChannelThatRefusesMakesNoCall) {
  service_.say = [](ServerContext&, const Item&, Item&) { return absl::OkStatus(); };
  StartWith({&outer_}, {&first_, &second_});
  second_.refuses = true;
  EXPECT_EQ(stub_->Say(Item()).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(stub_->Chat().Finish().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(stub_->Note(Item()).code(), absl::StatusCode::kPermissionDenied);
  Signal done;
  stub_->Say(Item(), [&](absl::StatusOr<Item> reply) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kPermissionDenied) << reply.status();
    done.Set();
  });
  done.Await();
  for (const std::string& line : seen_.Await(8)) EXPECT_EQ(line.rfind("first ", 0), 0u) << line;
}

}  // namespace
}  // namespace ferry::test
