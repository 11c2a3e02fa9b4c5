// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_CODEGEN_CORNERS_SERVED_H_
#define FERRY_TESTS_CODEGEN_CORNERS_SERVED_H_

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"

namespace ferry::test {

// A server of services in this process. Thread contract: one thread.
class Served {
 public:
  explicit Served(const std::vector<Service*>& services) {
    for (Service* service : services) server_.Register(*service);
    thread_ = std::thread([this] { status_ = server_.Serve(kAddress); });
  }
  ~Served() {
    server_.Shutdown();
    thread_.join();
    EXPECT_TRUE(status_.ok()) << status_;
  }

  // Waits for the server to listen.
  Channel Connect() const {
    for (;;) {
      absl::StatusOr<Channel> channel = ferry::Connect(kAddress);
      if (channel.ok()) return *std::move(channel);
      EXPECT_EQ(channel.status().code(), absl::StatusCode::kUnavailable) << channel.status();
      std::this_thread::yield();
    }
  }

 private:
  static constexpr char kAddress[] = "inproc:corners";

  Server server_;
  std::thread thread_;
  absl::Status status_;
};

// The text of a reply, or why there is none.
template <typename Reply>
std::string TextOf(const absl::StatusOr<Reply>& reply) {
  return reply.ok() ? reply->text() : reply.status().ToString();
}

// Implements a service whose one method is Get, from Message to Message.
template <typename Base, typename Message>
class Echo final : public Base {
  absl::Status Get(ServerContext&, const Message& request, Message& reply) override {
    reply = request;
    return absl::OkStatus();
  }
};

// Serves such a service and calls it in both ways.
template <typename Base, typename Stub, typename Message>
void ExpectEcho() {
  Echo<Base, Message> service;
  const Served served({&service});
  const Stub stub(served.Connect());
  Message request;
  request.set_text("hello");
  EXPECT_EQ(TextOf(stub.Get(request)), "hello");
  Message reply;
  const absl::Status status = stub.Get(request, &reply, CallOptions());
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(reply.text(), "hello");
}

}  // namespace ferry::test

// A handler that answers with its own name.
#define FERRY_TEST_HANDLER(Method)                                                                \
  absl::Status Method(ferry::ServerContext&, const corner::Text&, corner::Text& reply) override { \
    reply.set_text(#Method);                                                                      \
    return absl::OkStatus();                                                                      \
  }

// That a handler of that name answers when the stub's method of that name is called.
#define FERRY_TEST_EXPECT_CALL(stub, Method) \
  EXPECT_EQ(ferry::test::TextOf((stub).Method(corner::Text())), #Method)

#endif  // FERRY_TESTS_CODEGEN_CORNERS_SERVED_H_
