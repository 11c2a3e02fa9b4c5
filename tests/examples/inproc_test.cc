// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The transport that has no second process, which transports_test.sh thus cannot try.

#include <gtest/gtest.h>

#include <thread>

#include "ferry/rpc/server.h"
#include "greeter.ferry.h"

namespace {

class Greeter final : public greeter::GreeterService {
  absl::Status Greet(ferry::ServerContext&, const greeter::GreetRequest& request,
                     greeter::GreetReply& reply) override {
    reply.set_text("hello " + request.name());
    return absl::OkStatus();
  }
};

TEST(InprocTest, TheConfigurationFileSaysInproc) {
  constexpr char kFile[] = FERRY_SOURCE_DIR "/tests/examples/transports.textproto";
  Greeter greeter;
  ferry::ServerOptions server_options;
  server_options.config_file = kFile;
  ferry::Server server(server_options);
  server.Register(greeter);
  ASSERT_TRUE(server.Listen("inproc").ok());
  std::thread serving([&] { EXPECT_TRUE(server.Serve().ok()); });
  ferry::ChannelOptions options;
  options.config_file = kFile;
  absl::StatusOr<ferry::Channel> channel = ferry::Connect("inproc", options);
  ASSERT_TRUE(channel.ok()) << channel.status();
  greeter::GreetRequest request;
  request.set_name("World");
  absl::StatusOr<greeter::GreetReply> reply = greeter::GreeterStub(*channel).Greet(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->text(), "hello World");
  server.Shutdown();
  serving.join();
}

}  // namespace
