// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// hello_node SERVE_AT [CALL_AT NAME COUNT]: greets who streams names to it there and, if told so,
// streams a name to another node at the same time and prints its greetings, in one loop of epoll
// and on one thread. Ends when it has had them all; one that only serves, with SIGTERM.

#include <sys/epoll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "ferry/rpc/channel.h"
#include "ferry/rpc/client_reactor.h"
#include "ferry/rpc/server.h"
#include "ferry/rpc/server_reactor.h"
#include "node.ferry.h"

namespace {

// Greets one stream of names. While the other side does not read, nor does this one.
class Greeter final : public ferry::ServerBidiReactor<node::Name, node::Greeting> {
  void OnRead(const node::Name& name) override {
    greeting_.set_text("hello " + name.text());
    if (!Write(greeting_)) PauseReads();
  }
  void OnWritable() override {
    Write(greeting_);
    ResumeReads();
  }
  void OnReadsDone() override { Finish(); }
  void OnDone() override { delete this; }

  node::Greeting greeting_;
};

class Service final : public node::NodeService {
  absl::Status Greet(ferry::ServerContext& context,
                     ferry::ServerReaderWriter<node::Greeting, node::Name>& stream) override {
    return ferry::React(context, stream, *new Greeter);
  }
};

ferry::Server server;

// Has itself greeted so often, writing ahead of the answers as far as there is room.
class Caller final : public ferry::ClientBidiReactor<node::Name, node::Greeting> {
 public:
  Caller(const ferry::Channel& channel, const char* name, int count) : to_write_(count) {
    name_.set_text(name);
    node::NodeStub(channel).Greet(*this);
    OnWritable();
  }

 private:
  void OnWritable() override {
    while (to_write_ > 0 && Write(name_)) --to_write_;
    if (to_write_ == 0) WritesDone();
  }
  void OnRead(const node::Greeting& greeting) override { puts(greeting.text().c_str()); }
  void OnDone(const absl::Status& status) override {
    if (!status.ok()) fputs((status.ToString() + "\n").c_str(), stderr);
    server.Shutdown();
  }

  node::Name name_;
  int to_write_;
};

void Watch(int epoll, int handle) {
  epoll_event readable = {};
  readable.events = EPOLLIN;
  readable.data.fd = handle;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &readable) != 0) std::perror("epoll_ctl"), exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 5) return puts("usage: hello_node SERVE_AT [CALL_AT NAME COUNT]"), 2;
  Service service;
  server.Register(service);
  absl::Status status = server.Listen(argv[1]);
  if (status.ok()) status = server.Start();
  if (!status.ok()) return ferry::ExitCode(status);
  signal(SIGTERM, [](int) { server.Shutdown(); });

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, server.wait_handle());
  std::optional<Caller> caller;  // outlives the channel, which ends its call
  std::optional<ferry::Channel> channel;
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
