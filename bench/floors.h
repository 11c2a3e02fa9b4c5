// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FLOORS_H_
#define FERRY_BENCH_FLOORS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bare_slot.h"
#include "echo_client.h"
#include "floor.h"
#include "one_line.h"
#include "slot_child.h"

namespace ferry::bench {

// A system that takes part in a comparison.
struct Contestant {
  std::string system;
  std::string transport;
  EchoClient* client;
  std::string what = "unary";  // is measured
};

// What ferry over one transport is compared with, and the children for that. Thread
// contract: thread-compatible.
class Floors {
 public:
  // `transport` is pipe, named-pipe, unix or shm.
  static absl::StatusOr<std::unique_ptr<Floors>> Start(const std::string& transport);

  std::vector<pid_t> pids() const;

  // With a CPU for each side, and without: polling there would only take turns. The last
  // one is what ferry does, but for all that makes it ferry.
  std::vector<Contestant> WithTwoCpus() const;
  std::vector<Contestant> WithOneCpu() const;

 private:
  Floors() = default;

  std::string transport_;
  std::string asleep_transport_;  // the kernel has no shm of its own
  std::unique_ptr<Floor> asleep_;
  std::unique_ptr<Floor> polling_;    // unless for shm
  std::unique_ptr<SlotChild> slots_;  // for shm, as are those below
  std::unique_ptr<BareSlot> bare_slot_;
  std::unique_ptr<OneLine> one_line_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FLOORS_H_
