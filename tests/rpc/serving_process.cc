// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/rpc/serving_process.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/rpc/echo_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {

CHILD_BODY(ServesUntilALineComes) {
  if (Variable("USER_IS") == "ordinary") BecomeOrdinaryUser();
  EchoImpl service;
  Server server;
  server.Register(service);
  absl::Status listens = server.Listen(Variable("AT"));
  SayLine(listens.ok() ? "ready" : listens.ToString());
  std::thread stopper([&] {
    HearLine();
    server.Shutdown();
  });
  absl::Status served = server.Serve();
  stopper.join();
  return served.ok() ? 0 : 1;
}

std::unique_ptr<BodyProcess> StartServing(const std::string& address, As user) {
  std::vector<std::string> variables = {
      "AT=" + address, user == As::kAnotherUser ? "USER_IS=ordinary" : "USER_IS=the same"};
  auto server = std::make_unique<BodyProcess>("ServesUntilALineComes", variables);
  EXPECT_EQ(server->ReadLine(), "ready");
  return server;
}

}  // namespace ferry::test
