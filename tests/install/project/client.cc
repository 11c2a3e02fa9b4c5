// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// client ADDRESS NAME: greets by way of ADDRESS. At inproc:… the server is the shared
// library's and the channel this program's: they meet only if there is one ferry in the
// process.

#include <cstdio>
#include <string_view>
#include <thread>

#include "absl/time/clock.h"
#include "api/counter.ferry.h"
#include "api/greeter.ferry.h"
#include "ferry/rpc/channel.h"
#include "greeter.h"

namespace {

absl::Status Greet(std::string_view address, const char* name) {
  absl::StatusOr<ferry::Channel> channel = ferry::Connect(address);
  // The server in this process may need a moment.
  for (int i = 0; i < 1000 && absl::IsUnavailable(channel.status()); ++i) {
    absl::SleepFor(absl::Milliseconds(10));
    channel = ferry::Connect(address);
  }
  if (!channel.ok()) return channel.status();

  greeter::GreetRequest request;
  request.set_name(name);
  absl::StatusOr<greeter::GreetReply> reply = greeter::GreeterStub(*channel).Greet(request);
  if (!reply.ok()) return reply.status();
  std::puts(reply->text().c_str());

  // A service that nobody serves, and whose messages are of the lite runtime.
  absl::Status count = counter::CounterStub(*channel).Count(counter::Number()).status();
  return absl::IsUnimplemented(count) ? absl::OkStatus() : count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::puts("usage: client ADDRESS NAME"), 2;
  std::string_view address = argv[1];
  ferry::Server server;
  std::thread serving;
  if (address.substr(0, 7) == "inproc:") {
    serving = std::thread([&] { ferry::ExitCode(ServeGreeter(server, address)); });
  }
  absl::Status status = Greet(address, argv[2]);
  server.Shutdown();
  if (serving.joinable()) serving.join();
  return ferry::ExitCode(status);
}
