// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_ONE_LINE_H_
#define FERRY_BENCH_ONE_LINE_H_

#include "absl/status/statusor.h"
#include "echo_client.h"
#include "slot_child.h"

namespace ferry::bench {

// What memory alone takes: one cache line a direction, nothing in it, both sides
// polling. This tells a bare slot that is slow from a machine that is.
class OneLine final : public EchoClient {
 public:
  // `child` outlives it, and is in no other block during one of this.
  explicit OneLine(SlotChild& child) : child_(child) {}

  void Prepare(size_t /*payload_size*/) override {}
  absl::Status BeginBlock() override { return child_.BeginBlock(SlotChild::Work::kLines); }
  absl::Status EndBlock() override { return child_.EndBlock(); }
  absl::StatusOr<int64_t> PeerCpuTime() override { return child_.process().CpuTime(); }

  absl::Status RoundTrip() override {
    child_.end().Publish(0);
    return child_.end().Await() ? absl::OkStatus() : SlotChild::Failed();
  }

 private:
  SlotChild& child_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_ONE_LINE_H_
