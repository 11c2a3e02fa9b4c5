// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <optional>
#include <string>
#include <string_view>

#include "calls.h"
#include "cases.h"

namespace ferry::interop {
namespace {

constexpr char kInitial[] = "x-ferry-test-echo-initial";
constexpr char kTrailing[] = "x-ferry-test-echo-trailing-bin";

// What a call sends, and what has come back.
struct Exchange {
  Metadata sent;
  Metadata initial;
  Metadata trailing;

  CallOptions options() {
    CallOptions options;
    options.metadata = sent;
    options.initial_metadata = &initial;
    options.trailing_metadata = &trailing;
    return options;
  }
};

void ExpectEntry(CaseRun& run, const char* name, const Metadata& sent, const Metadata& returned) {
  const std::optional<std::string_view> expected = sent.Find(name);
  const std::optional<std::string_view> actual = returned.Find(name);
  if (!run.ExpectEqual("metadata are there", expected.has_value(), actual.has_value())) return;
  if (expected) run.ExpectText(name, std::string(*expected), std::string(*actual));
}

void ExpectEcho(CaseRun& run, const Exchange& exchange) {
  ExpectEntry(run, kInitial, exchange.sent, exchange.initial);
  ExpectEntry(run, kTrailing, exchange.sent, exchange.trailing);
}

void ExpectUnaryEcho(CaseRun& run, const Metadata& sent) {
  Exchange exchange{sent, {}, {}};
  CallLarge(run, run.stub(), exchange.options());
  ExpectEcho(run, exchange);
}

void ExpectTwoWayEcho(CaseRun& run, const Metadata& sent) {
  Exchange exchange{sent, {}, {}};
  auto stream = run.stub().FullDuplexCall(exchange.options());
  run.ExpectEqual("Write", true, stream.Write(AskingFor({314159}, 271828)));
  run.ExpectEqual("WritesDone", true, stream.WritesDone());
  if (ExpectResponse(run, stream, 314159)) {
    ExpectEntry(run, kInitial, exchange.sent, exchange.initial);
  }
  run.ExpectOk("Finish", stream.Finish());
  ExpectEcho(run, exchange);
}

void CustomMetadata(CaseRun& run) {
  Metadata sent;
  sent.Add(kInitial, "test_initial_metadata_value");
  sent.Add(kTrailing, "\xab\xab\xab");
  ExpectUnaryEcho(run, sent);
  ExpectTwoWayEcho(run, sent);
}

void LargeMetadata(CaseRun& run) {
  for (const char* name : {kInitial, kTrailing}) {
    Metadata sent;
    sent.Add(name, std::string(63 * 1024, 'm'));
    ExpectUnaryEcho(run, sent);
    ExpectTwoWayEcho(run, sent);
  }
}

}  // namespace

std::vector<Case> MetadataCases() {
  return {{"custom_metadata", CustomMetadata}, {"large_metadata", LargeMetadata}};
}

}  // namespace ferry::interop
