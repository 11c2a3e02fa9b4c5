// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_BARE_SLOT_H_
#define FERRY_BENCH_BARE_SLOT_H_

#include "absl/status/statusor.h"
#include "echo.pb.h"
#include "echo_client.h"
#include "ferry_echo.h"
#include "slot_child.h"

namespace ferry::bench {

// What memory and protobuf alone take for an echo: messages in one slot a direction,
// both sides polling.
class BareSlot final : public EchoClient {
 public:
  // `child` outlives it, and is in no other block during one of this.
  explicit BareSlot(SlotChild& child) : child_(child) {}

  void Prepare(size_t payload_size) override { request_ = FerryEcho::MakeMessage(payload_size); }
  absl::Status BeginBlock() override { return child_.BeginBlock(SlotChild::Work::kMessages); }
  absl::Status EndBlock() override { return child_.EndBlock(); }
  absl::StatusOr<int64_t> PeerCpuTime() override { return child_.process().CpuTime(); }

  absl::Status RoundTrip() override {
    SlotEnd& end = child_.end();
    if (!end.Put(request_) || !end.Await() || !end.Take(reply_)) return SlotChild::Failed();
    return absl::OkStatus();
  }

 private:
  SlotChild& child_;
  EchoMessage request_;
  EchoMessage reply_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_BARE_SLOT_H_
