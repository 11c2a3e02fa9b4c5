// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "greeter.h"

#include "api/greeter.ferry.h"

namespace {

class Greeter final : public greeter::GreeterService {
  absl::Status Greet(ferry::ServerContext&, const greeter::GreetRequest& request,
                     greeter::GreetReply& reply) override {
    reply.set_text("hello " + request.name());
    return absl::OkStatus();
  }
};

}  // namespace

absl::Status ServeGreeter(ferry::Server& server, std::string_view address) {
  Greeter greeter;
  server.Register(greeter);
  return server.Serve(address);
}
