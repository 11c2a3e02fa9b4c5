// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// hello_node SERVE_AT [CALL_AT NAME CALLS]: serves there and, if told so, calls another node at the
// same time, in one loop of epoll and on one thread. Ends when it has made its calls; one that only
// serves, with SIGTERM.

#include <sys/epoll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include "ferry/rpc/channel.h"
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

ferry::Server server;

// Calls once more when the last call has ended, until all are made.
class Caller {
 public:
  Caller(const ferry::Channel& channel, const char* name, int calls)
      : stub_(channel), calls_to_go_(calls) {
    request_.set_name(name);
    Call();
  }

 private:
  void Call() {
    stub_.Greet(request_, [this](absl::StatusOr<greeter::GreetReply> reply) {
      if (reply.ok()) puts(reply->text().c_str());
      if (!reply.ok()) fputs((reply.status().ToString() + "\n").c_str(), stderr);
      if (reply.ok() && --calls_to_go_ > 0) return Call();
      server.Shutdown();
    });
  }

  const greeter::GreeterStub stub_;
  greeter::GreetRequest request_;
  int calls_to_go_;
};

void Watch(int epoll, int handle) {
  epoll_event readable = {};
  readable.events = EPOLLIN;
  readable.data.fd = handle;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &readable) != 0) std::perror("epoll_ctl"), exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 5) return puts("usage: hello_node SERVE_AT [CALL_AT NAME CALLS]"), 2;
  Greeter greeter;
  server.Register(greeter);
  absl::Status status = server.Listen(argv[1]);
  if (status.ok()) status = server.Start();
  if (!status.ok()) return ferry::ExitCode(status);
  signal(SIGTERM, [](int) { server.Shutdown(); });

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, server.wait_handle());
  std::optional<ferry::Channel> channel;
  std::optional<Caller> caller;
  if (argc == 5) {
    ferry::ChannelOptions options;
    options.in_loop = true;
    options.wait_for_ready = absl::Seconds(10);
    absl::StatusOr<ferry::Channel> connected = ferry::Connect(argv[2], options);
    if (!connected.ok()) return ferry::ExitCode(connected.status());
    channel = *std::move(connected);
    Watch(epoll, channel->wait_handle());
    caller.emplace(*channel, argv[3], std::atoi(argv[4]));
  }

  for (bool serves = true; serves;) {
    epoll_event ready;
    if (epoll_wait(epoll, &ready, 1, -1) != 1) continue;
    if (ready.data.fd == server.wait_handle()) {
      serves = server.Dispatch();
    } else {
      channel->Dispatch();
    }
  }
  close(epoll);
  return ferry::ExitCode(server.outcome());
}
