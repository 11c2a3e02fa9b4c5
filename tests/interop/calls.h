// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What several cases do.

#ifndef FERRY_TESTS_INTEROP_CALLS_H_
#define FERRY_TESTS_INTEROP_CALLS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "case_run.h"

namespace ferry::interop {

// Waits for a server to listen.
absl::StatusOr<Channel> ConnectTo(const std::string& address);

Payload Zeros(int size);

// Asks for responses of these sizes, one after the other.
StreamingOutputCallRequest AskingFor(const std::vector<int>& sizes, int payload_size = 0);

// Sends 271828 bytes, and expects 314159 back.
void CallLarge(CaseRun& run, const TestServiceStub& stub, const CallOptions& options = {});

bool ExpectZeros(CaseRun& run, const char* what, int size, const Payload& payload);

// Reads one response from a ClientReader or ClientReaderWriter.
template <typename Stream>
bool ExpectResponse(CaseRun& run, Stream& stream, int size) {
  StreamingOutputCallResponse response;
  return run.ExpectEqual("Read", true, stream.Read(&response)) &&
         ExpectZeros(run, "the response's size", size, response.payload());
}

// Reads these and then the end, and expects the call to end well.
template <typename Stream>
void ExpectResponsesAndEnd(CaseRun& run, Stream& stream, const std::vector<int>& sizes) {
  bool good = true;
  for (auto size = sizes.begin(); good && size != sizes.end(); ++size) {
    good = ExpectResponse(run, stream, *size);
  }
  StreamingOutputCallResponse none;
  if (good) run.ExpectEqual("Read after the last response", false, stream.Read(&none));
  run.ExpectOk("Finish", stream.Finish());
}

}  // namespace ferry::interop

#endif  // FERRY_TESTS_INTEROP_CALLS_H_
