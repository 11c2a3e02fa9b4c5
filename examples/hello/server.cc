// hello_server [ADDRESS…]
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
  Greeter greeter;
  ferry::Server server;
  server.Register(greeter);
  absl::Status status = server.Listen(argc > 1 ? argv[1] : "parent:");
  for (int i = 2; i < argc && status.ok(); ++i) status = server.Listen(argv[i]);
  return ferry::ExitCode(status.ok() ? server.Serve() : status);
}
