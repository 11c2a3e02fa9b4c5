// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "calls.h"

#include <cstddef>

#include "absl/time/time.h"

namespace ferry::interop {

absl::StatusOr<Channel> ConnectTo(const std::string& address) {
  ChannelOptions options;
  options.wait_for_ready = absl::Seconds(10);
  return Connect(address, options);
}

Payload Zeros(int size) {
  Payload payload;
  payload.mutable_body()->assign(static_cast<size_t>(size), '\0');
  return payload;
}

StreamingOutputCallRequest AskingFor(const std::vector<int>& sizes, int payload_size) {
  StreamingOutputCallRequest request;
  *request.mutable_payload() = Zeros(payload_size);
  for (int size : sizes) request.add_response_parameters()->set_size(size);
  return request;
}

void CallLarge(CaseRun& run, const TestServiceStub& stub, const CallOptions& options) {
  constexpr int kRequestSize = 271828;
  constexpr int kResponseSize = 314159;
  SimpleRequest request;
  request.set_response_size(kResponseSize);
  *request.mutable_payload() = Zeros(kRequestSize);
  SimpleResponse reply;
  if (!run.ExpectOk("UnaryCall", stub.UnaryCall(request, &reply, options))) return;
  ExpectZeros(run, "the reply's size", kResponseSize, reply.payload());
}

bool ExpectZeros(CaseRun& run, const char* what, int size, const Payload& payload) {
  const std::string& body = payload.body();
  return run.ExpectEqual(what, static_cast<size_t>(size), body.size()) &&
         run.ExpectEqual("all bytes are 0", true, body.find_first_not_of('\0') == body.npos);
}

}  // namespace ferry::interop
