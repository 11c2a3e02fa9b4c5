// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// bench_worker ADDRESS: serves Echo, for ferry_bench.

#include <cstdio>

#include "echo_service.h"
#include "ferry/rpc/server.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s ADDRESS\n", argv[0]), 2;
  ferry::bench::EchoServer echo;
  ferry::Server server;
  server.Register(echo);
  return ferry::ExitCode(server.Serve(argv[1]));
}
