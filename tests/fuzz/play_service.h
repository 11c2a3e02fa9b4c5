// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_PLAY_SERVICE_H_
#define FERRY_TESTS_FUZZ_PLAY_SERVICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "ferry/rpc/internal/served_call.h"
#include "ferry/rpc/service.h"
#include "tests/fuzz/served_model.h"

namespace ferry::test {

// A method of each shape: "play.Play/Unary" and so on, of ferry.wire.Status both ways.
extern const Method kPlayMethods[5];
const std::map<uint64_t, const Method*>& PlayMethodsById();

// A service whose handlers do what a script says, byte by byte. Thread contract: one thread.
class PlayService final : public Service {
 public:
  // What is given by reference outlives it. `hand_over`: another leader comes, and goes.
  PlayService(ServedModel& model, std::function<void()> hand_over)
      : model_(model), hand_over_(std::move(hand_over)) {}

  internal::ServiceMethods ferry_methods() const override;

  // Of the handlers that begin from now on.
  void set_script(std::string script) { script_ = std::move(script); }
  // Handlers that run on the stack of one that waits must not wait, too.
  void set_may_wait(bool may_wait) { may_wait_ = may_wait; }

  int running() const { return running_; }
  int cancellations() const { return cancellations_; }

 private:
  static void Serve(Service& service, internal::IncomingCall& call);
  void Run(internal::ServedCall& call);
  absl::Status RunScript(internal::ServedCall& call, const std::string& script);
  void Step(internal::ServedCall& call, uint8_t step);
  bool Read(internal::ServedCall& call);
  bool Write(internal::ServedCall& call, size_t size);

  ServedModel& model_;
  const std::function<void()> hand_over_;
  std::string script_;
  bool may_wait_ = true;
  int running_ = 0;
  int cancellations_ = 0;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_PLAY_SERVICE_H_
