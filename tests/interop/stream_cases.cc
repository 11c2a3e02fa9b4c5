// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <cstddef>

#include "calls.h"
#include "cases.h"

namespace ferry::interop {
namespace {

const std::vector<int> kRequestSizes = {27182, 8, 1828, 45904};
const std::vector<int> kResponseSizes = {31415, 9, 2653, 58979};

void ClientStreaming(CaseRun& run) {
  StreamingInputCallResponse reply;
  ClientWriter<StreamingInputCallRequest> requests = run.stub().StreamingInputCall(&reply);
  for (int size : kRequestSizes) {
    StreamingInputCallRequest request;
    *request.mutable_payload() = Zeros(size);
    if (!run.ExpectEqual("Write", true, requests.Write(request))) break;
  }
  if (!run.ExpectOk("Finish", requests.Finish())) return;
  run.ExpectEqual("aggregated_payload_size", 74922, reply.aggregated_payload_size());
}

void ServerStreaming(CaseRun& run) {
  ClientReader<StreamingOutputCallResponse> replies =
      run.stub().StreamingOutputCall(AskingFor(kResponseSizes));
  ExpectResponsesAndEnd(run, replies, kResponseSizes);
}

void PingPong(CaseRun& run) {
  auto stream = run.stub().FullDuplexCall();
  for (size_t i = 0; i < kRequestSizes.size(); ++i) {
    const int size = kResponseSizes[i];
    if (!run.ExpectEqual("Write", true, stream.Write(AskingFor({size}, kRequestSizes[i])))) break;
    if (!ExpectResponse(run, stream, size)) break;
  }
  run.ExpectEqual("WritesDone", true, stream.WritesDone());
  ExpectResponsesAndEnd(run, stream, {});
}

void EmptyStream(CaseRun& run) {
  auto stream = run.stub().FullDuplexCall();
  run.ExpectEqual("WritesDone", true, stream.WritesDone());
  ExpectResponsesAndEnd(run, stream, {});
}

// Writes until the call has ended, which it does while the client has more to say.
void ExpectEarlyAnswer(CaseRun& run, const absl::Status& answer) {
  constexpr int kMany = 1000;
  constexpr int kSize = 64 * 1024;
  auto stream = run.stub().FullDuplexCall();
  StreamingOutputCallRequest first = AskingFor({}, kSize);
  first.mutable_response_status()->set_code(static_cast<int>(answer.code()));
  first.mutable_response_status()->set_message(std::string(answer.message()));
  const StreamingOutputCallRequest more = AskingFor({}, kSize);
  bool open = stream.Write(first);
  for (int i = 0; open && i < kMany; ++i) open = stream.Write(more);
  run.ExpectEqual("Write long after the answer", false, open);
  if (answer.ok()) {
    run.ExpectOk("Finish", stream.Finish());
  } else {
    run.ExpectStatus("Finish", answer, stream.Finish());
  }
}

void EarlyAnswer(CaseRun& run) {
  ExpectEarlyAnswer(run, absl::FailedPreconditionError("enough"));
  ExpectEarlyAnswer(run, absl::OkStatus());
}

}  // namespace

std::vector<Case> StreamCases() {
  return {{"client_streaming", ClientStreaming},
          {"server_streaming", ServerStreaming},
          {"ping_pong", PingPong},
          {"empty_stream", EmptyStream},
          {"early_answer", EarlyAnswer}};
}

}  // namespace ferry::interop
