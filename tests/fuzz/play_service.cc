// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/play_service.h"

#include <utility>

#include "ferry/rpc/internal/leadership.h"
#include "tests/fuzz/check.h"

namespace ferry::test {

using internal::ServedCall;

const Method kPlayMethods[5] = {
    {"play.Play/Unary", CallShape::kUnary, Execution::kInline},
    {"play.Play/Server", CallShape::kServerStream, Execution::kInline},
    {"play.Play/Client", CallShape::kClientStream, Execution::kInline},
    {"play.Play/TwoWay", CallShape::kTwoWayStream, Execution::kInline},
    {"play.Play/OneWay", CallShape::kOneWay, Execution::kInline},
};

namespace {

constexpr int kMostMessages = 40;  // in one step of a handler
constexpr int kMostHandOvers = 8;  // on one stack

}  // namespace

const std::map<uint64_t, const Method*>& PlayMethodsById() {
  static const auto* methods = [] {
    auto* by_id = new std::map<uint64_t, const Method*>;
    for (const Method& method : kPlayMethods) (*by_id)[method.id] = &method;
    return by_id;
  }();
  return *methods;
}

internal::ServiceMethods PlayService::ferry_methods() const {
  static const internal::ServiceMethod methods[] = {
      {&kPlayMethods[0], Serve}, {&kPlayMethods[1], Serve}, {&kPlayMethods[2], Serve},
      {&kPlayMethods[3], Serve}, {&kPlayMethods[4], Serve},
  };
  return {methods, std::size(methods)};
}

void PlayService::Serve(Service& service, internal::IncomingCall& call) {
  static_cast<PlayService&>(service).Run(static_cast<ServedCall&>(call));
}

void PlayService::Run(ServedCall& call) {
  CallShape shape = call.context().method().shape;
  std::string script = script_;
  wire::Status message;
  if (TakesStream(shape)) {
    if (!call.BeginStream()) return;
  } else {
    if (!call.ReadRequest(message)) return;
    model_.OnRead(call.id(), message.SerializeAsString());
  }
  ++running_;
  absl::Status status = RunScript(call, script);
  --running_;
  if (shape == CallShape::kOneWay) return;
  call.Reply(status, ReturnsStream(shape) ? nullptr : &message);
}

absl::Status PlayService::RunScript(ServedCall& call, const std::string& script) {
  for (char step : script) {
    if (step == 'e') return absl::NotFoundError("as the script says");
    if (step == '.') break;
    Step(call, static_cast<uint8_t>(step));
  }
  return absl::OkStatus();
}

void PlayService::Step(ServedCall& call, uint8_t step) {
  ServerContext& context = call.context();
  switch (step) {
    case 'r':
      Read(call);
      return;
    case 'R':
      while (Read(call)) {
      }
      return;
    case 'w':
    case 'v':
      Write(call, step == 'w' ? 10 : 500);
      return;
    case 'W':
      for (int i = 0; i < kMostMessages && Write(call, 20); ++i) {
      }
      return;
    case 'E':
      for (int i = 0; i < kMostMessages && Read(call) && Write(call, 10); ++i) {
      }
      return;
    case 'L':
      Write(call, 3000);  // larger than is allowed
      return;
    case 'i':
      context.initial_metadata().Add("initial", "1");
      return;
    case 't':
      context.trailing_metadata().Add("trailing-bin", "\xff");
      return;
    case 'b':
      context.trailing_metadata().Add("BAD", "1");
      return;
    case 'I':
      context.SendInitialMetadata();
      return;
    case 'c':
      context.OnCancel([this] { ++cancellations_; });
      return;
    case 'q':
      context.IsCancelled();
      return;
    case 'p':
      internal::Leadership::PassOnBeforeWait();
      return;
    case 'h':
      if (running_ > kMostHandOvers || !may_wait_) return;
      internal::Leadership::PassOnBeforeWait();
      hand_over_();
      return;
    default:
      return;
  }
}

bool PlayService::Read(ServedCall& call) {
  if (!TakesStream(call.context().method().shape) || !may_wait_) return false;
  wire::Status message;
  if (!call.Read(message)) return false;
  model_.OnRead(call.id(), message.SerializeAsString());
  return true;
}

bool PlayService::Write(ServedCall& call, size_t size) {
  if (!ReturnsStream(call.context().method().shape) || !may_wait_) return false;
  wire::Status message;
  message.set_message(std::string(size, 'm'));
  return call.Write(message);
}

}  // namespace ferry::test
