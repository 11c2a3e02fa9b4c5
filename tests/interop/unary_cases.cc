// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "calls.h"
#include "cases.h"

namespace ferry::interop {
namespace {

void EmptyUnary(CaseRun& run) { run.ExpectOk("EmptyCall", run.stub().EmptyCall(Empty()).status()); }

void LargeUnary(CaseRun& run) { CallLarge(run, run.stub()); }

void UnimplementedMethod(CaseRun& run) {
  run.ExpectCode("UnimplementedCall", absl::StatusCode::kUnimplemented,
                 run.stub().UnimplementedCall(Empty()).status());
}

void UnimplementedServiceCase(CaseRun& run) {
  run.ExpectCode("UnimplementedCall", absl::StatusCode::kUnimplemented,
                 UnimplementedServiceStub(run.channel()).UnimplementedCall(Empty()).status());
}

}  // namespace

std::vector<Case> UnaryCases() {
  return {{"empty_unary", EmptyUnary},
          {"large_unary", LargeUnary},
          {"unimplemented_method", UnimplementedMethod},
          {"unimplemented_service", UnimplementedServiceCase}};
}

}  // namespace ferry::interop
