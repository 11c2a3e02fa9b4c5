// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include "absl/time/time.h"
#include "calls.h"
#include "cases.h"

namespace ferry::interop {
namespace {

void SetStatus(const absl::Status& status, EchoStatus& echo) {
  echo.set_code(static_cast<int>(status.code()));
  echo.set_message(std::string(status.message()));
}

void ExpectUnaryStatus(CaseRun& run, const absl::Status& status) {
  SimpleRequest request;
  SetStatus(status, *request.mutable_response_status());
  run.ExpectStatus("UnaryCall", status, run.stub().UnaryCall(request).status());
}

void StatusCodeAndMessage(CaseRun& run) {
  const absl::Status status = absl::UnknownError("test status message");
  ExpectUnaryStatus(run, status);
  StreamingOutputCallRequest request;
  SetStatus(status, *request.mutable_response_status());
  auto stream = run.stub().FullDuplexCall();
  run.ExpectEqual("Write", true, stream.Write(request));
  stream.WritesDone();  // false if the answer is here already
  StreamingOutputCallResponse response;
  run.ExpectEqual("Read", false, stream.Read(&response));
  run.ExpectStatus("Finish", status, stream.Finish());
}

void SpecialStatusMessage(CaseRun& run) {
  ExpectUnaryStatus(
      run, absl::UnknownError(
               "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"));
}

void CancelBeforeBegin(CaseRun& run) {
  Cancellation cancellation;
  cancellation.Cancel();
  CallOptions options;
  options.cancellation = &cancellation;
  run.ExpectCode("EmptyCall", absl::StatusCode::kCancelled,
                 run.stub().EmptyCall(Empty(), options).status());
  auto stream = run.stub().FullDuplexCall(options);
  run.ExpectEqual("Write", false, stream.Write(AskingFor({1})));
  run.ExpectCode("Finish", absl::StatusCode::kCancelled, stream.Finish());
}

void CancelAfterBegin(CaseRun& run) {
  StreamingInputCallResponse reply;
  ClientWriter<StreamingInputCallRequest> requests = run.stub().StreamingInputCall(&reply);
  requests.Cancel();
  run.ExpectCode("Finish", absl::StatusCode::kCancelled, requests.Finish());
}

void CancelAfterFirstResponse(CaseRun& run) {
  auto stream = run.stub().FullDuplexCall();
  run.ExpectEqual("Write", true, stream.Write(AskingFor({31415}, 27182)));
  ExpectResponse(run, stream, 31415);
  stream.Cancel();
  run.ExpectCode("Finish", absl::StatusCode::kCancelled, stream.Finish());
}

// Of a server that means to answer much later.
StreamingOutputCallRequest AskingForSleep() {
  StreamingOutputCallRequest request = AskingFor({1}, 27182);
  request.mutable_response_parameters(0)->set_interval_us(10'000'000);
  return request;
}

CallOptions Within(absl::Duration timeout) {
  CallOptions options;
  options.timeout = timeout;
  return options;
}

void TimeoutOnSleepingServer(CaseRun& run) {
  auto stream = run.stub().FullDuplexCall(Within(absl::Milliseconds(1)));
  stream.Write(AskingForSleep());  // false if the time is up already
  run.ExpectCode("Finish", absl::StatusCode::kDeadlineExceeded, stream.Finish());
}

void ManyTimeouts(CaseRun& run) {
  constexpr int kMany = 1000;
  const StreamingOutputCallRequest request = AskingForSleep();
  bool good = true;
  for (int i = 0; good && i < kMany; ++i) {
    auto replies = run.stub().StreamingOutputCall(request, Within(absl::Milliseconds(1)));
    good = run.ExpectCode("Finish", absl::StatusCode::kDeadlineExceeded, replies.Finish());
  }
  CallLarge(run, run.stub());
}

}  // namespace

std::vector<Case> EndCases() {
  return {{"status_code_and_message", StatusCodeAndMessage},
          {"special_status_message", SpecialStatusMessage},
          {"cancel_before_begin", CancelBeforeBegin},
          {"cancel_after_begin", CancelAfterBegin},
          {"cancel_after_first_response", CancelAfterFirstResponse},
          {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
          {"many_timeouts", ManyTimeouts}};
}

}  // namespace ferry::interop
