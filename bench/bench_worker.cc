// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// For ferry_bench:
//   bench_worker ADDRESS…      serves Echo
//   bench_worker floor         echoes its stdin to its stdout
//   bench_worker polled-floor  does so without sleeping
//   bench_worker slots         echoes in shared memory
//   bench_worker stream-floor  writes or reads streams of bytes
//   bench_worker slot-ring     puts or takes streams of messages in shared memory

#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "echo_service.h"
#include "ferry/rpc/server.h"
#include "floor.h"
#include "slot_child.h"
#include "slot_ring_child.h"
#include "stream_floor.h"

int main(int argc, char** argv) {
  using ferry::bench::Floor;
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s ADDRESS…|floor|polled-floor|slots|stream-floor|slot-ring\n",
                 argv[0]);
    return 2;
  }
  std::string_view mode = argv[1];
  if (mode == "floor" || mode == "polled-floor") {
    Floor::Wait wait = mode == "floor" ? Floor::Wait::kAsleep : Floor::Wait::kPolling;
    ferry::bench::ServeFloor(STDIN_FILENO, STDOUT_FILENO, wait);
    return 0;
  }
  if (mode == "slots") {
    ferry::bench::ServeSlots(STDIN_FILENO, ferry::bench::FloorChild::kSharedFd);
    return 0;
  }
  if (mode == "stream-floor") {
    ferry::bench::ServeStreamFloor(STDIN_FILENO, STDOUT_FILENO);
    return 0;
  }
  if (mode == "slot-ring") {
    ferry::bench::ServeSlotRing(STDIN_FILENO, ferry::bench::FloorChild::kSharedFd);
    return 0;
  }
  ferry::bench::EchoServer echo;
  ferry::Server server;
  server.Register(echo);
  absl::Status status;
  for (int i = 1; i < argc && status.ok(); ++i) status = server.Listen(argv[i]);
  return ferry::ExitCode(status.ok() ? server.Serve() : status);
}
