// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// For ferry_bench:
//   bench_worker ADDRESS…  serves Echo
//   bench_worker floor     echoes its stdin to its stdout

#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "echo_service.h"
#include "ferry/rpc/server.h"
#include "floor.h"

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s ADDRESS…|floor\n", argv[0]), 2;
  if (std::string_view(argv[1]) == "floor") {
    ferry::bench::ServeFloor(STDIN_FILENO, STDOUT_FILENO);
    return 0;
  }
  ferry::bench::EchoServer echo;
  ferry::Server server;
  server.Register(echo);
  absl::Status status;
  for (int i = 1; i < argc && status.ok(); ++i) status = server.Listen(argv[i]);
  return ferry::ExitCode(status.ok() ? server.Serve() : status);
}
