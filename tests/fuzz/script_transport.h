// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_SCRIPT_TRANSPORT_H_
#define FERRY_TESTS_FUZZ_SCRIPT_TRANSPORT_H_

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ferry/transport/transport.h"

namespace ferry::test {

// The other end of a ScriptTransport.
class Script {
 public:
  // A whole message was sent to it.
  virtual void OnSent(const FrameHeader& header, std::string_view payload) = 0;
  // The engine takes a frame, which is valid by itself.
  virtual void OnTaken(const FrameHeader& header, std::string_view payload) = 0;
  // The engine comes for more: what it took before has had its effect.
  virtual void OnAsked() = 0;
  // The engine has nothing to do: something is to happen, if only the end.
  virtual void Next() = 0;
  // The transport is being destroyed.
  virtual void OnGone() = 0;

 protected:
  ~Script() = default;
};

// What is done with a transport and who does the other end's part take turns on one thread:
// a wait plays the next part of the script. Thread contract: one thread.
class ScriptTransport final : public Transport {
 public:
  explicit ScriptTransport(Script& script) : script_(script) {
    set_spin_limit(absl::ZeroDuration());
  }

  ~ScriptTransport() override { script_.OnGone(); }

  // By the script.
  void Put(const FrameHeader& header, std::string payload);
  void PutEnd(const absl::Status& reason) { end_ = reason; }
  bool has_ended() const { return !end_.ok() || !closed_.ok(); }
  // A frame was not valid by itself.
  bool has_refused() const { return has_refused_; }

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override;
  void Commit(Reservation& reservation) override;
  void Abandon(Reservation& reservation) override;
  void Flush(Deadline) override {}
  size_t queued() const override { return 0; }
  ReadResult TryRead(Frame& frame) override;
  void Release() override { current_.reset(); }
  bool Poll() override { return HasNews(); }
  bool polls_memory() const override { return true; }
  void Wait(const WaitOptions& options) override;
  void Interrupt() override { interrupted_ = true; }
  absl::Status Join(WaitSet&, uint64_t) override { return absl::OkStatus(); }
  bool Arm() override { return HasNews(); }
  void Close(const absl::Status& reason) override;
  absl::Status close_reason() const override { return closed_; }
  const Peer& peer() const override { return peer_; }

 private:
  struct Queued {
    FrameHeader header;
    std::string payload;
  };
  bool HasNews() const { return !frames_.empty() || has_ended(); }

  Script& script_;
  const Peer peer_{"the script"};
  std::deque<Queued> frames_;
  std::unique_ptr<Queued> current_;  // freed by Release, which a sanitizer sees
  bool interrupted_ = false;
  bool has_refused_ = false;
  int idle_waits_ = 0;
  absl::Status end_;
  absl::Status closed_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_SCRIPT_TRANSPORT_H_
