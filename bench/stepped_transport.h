// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_STEPPED_TRANSPORT_H_
#define FERRY_BENCH_STEPPED_TRANSPORT_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "ferry/transport/transport.h"

namespace ferry::bench {

// A transport whose every Wait first lets the other end run, so that both ends can live
// on one thread, and neither ever sleeps.
class SteppedTransport final : public Transport {
 public:
  SteppedTransport(std::unique_ptr<Transport> inner, std::function<void()> run_other_end)
      : inner_(std::move(inner)), run_other_end_(std::move(run_other_end)) {
    set_spin_limit(absl::ZeroDuration());
  }

  bool Poll() override { return inner_->Poll(); }
  void Wait(const WaitOptions& options) override {
    run_other_end_();
    inner_->Wait(options);
  }

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override {
    return inner_->Reserve(header, size, out);
  }
  void Commit(Reservation& reservation) override { inner_->Commit(reservation); }
  void Abandon(Reservation& reservation) override { inner_->Abandon(reservation); }
  void Flush(Deadline deadline) override { inner_->Flush(deadline); }
  size_t queued() const override { return inner_->queued(); }
  ReadResult TryRead(Frame& frame) override { return inner_->TryRead(frame); }
  void Release() override { inner_->Release(); }
  void Interrupt() override { inner_->Interrupt(); }
  bool Arm() override { return inner_->Arm(); }
  absl::Status Join(WaitSet& set, uint64_t id) override { return inner_->Join(set, id); }
  void Close(const absl::Status& reason) override { inner_->Close(reason); }
  absl::Status close_reason() const override { return inner_->close_reason(); }
  const Peer& peer() const override { return inner_->peer(); }

 private:
  const std::unique_ptr<Transport> inner_;
  const std::function<void()> run_other_end_;
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_STEPPED_TRANSPORT_H_
