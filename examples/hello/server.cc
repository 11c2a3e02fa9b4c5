// hello_server ADDRESS
#include <cstdio>

#include "ferry/rpc/server.h"
#include "greeter.ferry.h"

class Greeter final : public greeter::GreeterService {
  absl::Status Greet(ferry::ServerContext&, const greeter::GreetRequest& request,
                     greeter::GreetReply& reply) override {
    reply.set_text("hello " + request.name());
    return absl::OkStatus();
  }
};

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s ADDRESS\n", argv[0]), 2;
  Greeter greeter;
  ferry::Server server;
  server.Register(greeter);
  return ferry::ExitCode(server.Serve(argv[1]));
}
