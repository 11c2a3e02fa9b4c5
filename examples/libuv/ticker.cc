// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// hello_ticker ADDRESS NAME COUNT: greets the hello_server at ADDRESS every 10 ms, so often, from a
// loop of libuv and on its thread.

#include <uv.h>

#include <cstdio>
#include <cstdlib>

#include "ferry/rpc/channel.h"
#include "ferry/rpc/exit_code.h"
#include "greeter.ferry.h"

namespace {

// Owns the handles; those of libuv know it as their data.
class Ticker {
 public:
  Ticker(uv_loop_t* loop, ferry::Channel channel, const char* name, int count)
      : channel_(std::move(channel)), stub_(channel_), to_start_(count), to_end_(count) {
    request_.set_name(name);
    ready_.data = tick_.data = this;
    uv_poll_init(loop, &ready_, channel_.wait_handle());
    uv_poll_start(&ready_, UV_READABLE, [](uv_poll_t* ready, int, int) {
      static_cast<Ticker*>(ready->data)->channel_.Dispatch();
    });
    uv_timer_init(loop, &tick_);
    uv_timer_start(
        &tick_, [](uv_timer_t* tick) { static_cast<Ticker*>(tick->data)->Tick(); }, 0, 10);
  }

  const absl::Status& status() const { return status_; }

 private:
  void Tick() {
    if (--to_start_ == 0) uv_timer_stop(&tick_);
    stub_.Greet(request_, [this](absl::StatusOr<greeter::GreetReply> reply) {
      if (reply.ok()) puts(reply->text().c_str()), fflush(stdout);
      if (!reply.ok()) status_ = reply.status();
      if (--to_end_ == 0) uv_poll_stop(&ready_);  // nothing is left for the loop to wait for
    });
  }

  const ferry::Channel channel_;
  const greeter::GreeterStub stub_;
  greeter::GreetRequest request_;
  uv_poll_t ready_;
  uv_timer_t tick_;
  int to_start_;
  int to_end_;
  absl::Status status_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::atoi(argv[3]) < 1) return puts("usage: hello_ticker ADDRESS NAME COUNT"), 2;
  ferry::ChannelOptions options;
  options.in_loop = true;
  options.wait_for_ready = absl::Seconds(10);
  absl::StatusOr<ferry::Channel> channel = ferry::Connect(argv[1], options);
  if (!channel.ok()) return ferry::ExitCode(channel.status());

  uv_loop_t* loop = uv_default_loop();
  Ticker ticker(loop, *std::move(channel), argv[2], std::atoi(argv[3]));
  uv_run(loop, UV_RUN_DEFAULT);
  return ferry::ExitCode(ticker.status());
}
