// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Calls over a child's stdin and stdout, and what else is written there.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "ferry/rpc/server.h"
#include "tests/rpc/deeds_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

// As a library with something to say would, before main.
const int printed_early = getenv("FERRY_TEST_PRINT_EARLY") != nullptr
                              ? (std::puts("printed early"), std::fflush(stdout))
                              : 0;

ChildOptions OnStdio(const std::string& body) {
  ChildOptions options = DeedsChild();
  options.arguments = {ChildFlag(body)};
  options.link = ChildLinkKind::kStdio;
  options.standard_error = Stdio::kCapture;
  return options;
}

// The stderr of a child that has served.
std::string ErrorsOf(const ChildOptions& options) {
  absl::StatusOr<Child> child = Spawn(options);
  if (!child.ok()) return child.status().ToString();
  DeedsStub stub(child->channel());
  ferry::test::Text text;
  text.set_text("stray");
  EXPECT_TRUE(stub.Print(text).ok());
  EXPECT_TRUE(stub.Look(Nothing()).ok());
  EXPECT_EQ(child->Stop().ToString(), "exited with code 0");
  return child->captured_error();
}

constexpr char kStray[] = "printf: stray\ncout: stray\nwrite: stray\nchild: stray\n";

TEST(StdioTest, StrayPrintsLandOnStderr) {
  EXPECT_EQ(ErrorsOf(OnStdio("Deeds")), kStray);
  EXPECT_EQ(ErrorsOf(OnStdio("DeedsOnStdio")), kStray);
}

CHILD_BODY(PrintsThenServes) {
  std::puts("printed in main");
  std::fflush(stdout);
  return ServeDeeds("parent:");
}
TEST(StdioTest, PrintsBeforeTheServerStartsLandOnStderr) {
  ChildOptions options = OnStdio("PrintsThenServes");
  options.environment["FERRY_TEST_PRINT_EARLY"] = "1";
  EXPECT_EQ(ErrorsOf(options), std::string("printed early\nprinted in main\n") + kStray);
}

CHILD_BODY(PrintsUnflushedThenServesStdio) {
  std::printf("not flushed\n");
  return ServeDeeds("stdio:");
}
TEST(StdioTest, WhatWasPrintedButNotFlushedLandsOnStderr) {
  ChildOptions options = OnStdio("unused");
  options.program = "env";  // any launcher: FERRY_PARENT is not passed on
  options.arguments = {"-u", "FERRY_PARENT", SelfPath(),
                       ChildFlag("PrintsUnflushedThenServesStdio")};
  EXPECT_EQ(ErrorsOf(options), std::string("not flushed\n") + kStray);
}

TEST(StdioTest, AShellMayBeInBetween) {
  ChildOptions options = OnStdio("unused");
  options.program = "sh";
  options.arguments = {"-c", "\"$1\" \"$2\"", "sh", SelfPath(), ChildFlag("DeedsOnStdio")};
  EXPECT_EQ(ErrorsOf(options), kStray);
}

// A wrapper script uses a program that happens to be linked to ferry.
CHILD_BODY(SaysSomething) { return std::puts("said") > 0 ? 0 : 1; }
TEST(StdioTest, OnlyTheWorkerTakesTheStdioOfCalls) {
  ChildOptions options = OnStdio("unused");
  options.program = "sh";
  options.arguments = {
      "-c", "said=$(echo | \"$0\" \"$1\"); echo \"the tool $said\" >&2; exec \"$0\" \"$2\"",
      SelfPath(), ChildFlag("SaysSomething"), ChildFlag("Deeds")};
  EXPECT_EQ(ErrorsOf(options), std::string("the tool said\n") + kStray);
}

TEST(StdioTest, TheAddressSaysIt) {
  absl::StatusOr<Channel> channel = Connect(DeedsAddress() + "&transport=stdio");
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_TRUE(DeedsStub(*channel).Look(Nothing()).ok());
}

CHILD_BODY(ServesTwice) {
  int first = ServeDeeds("stdio:");
  absl::Status second = Server().Serve("stdio:");
  std::fprintf(stderr, "%s\n", second.ToString().c_str());
  return first;
}
TEST(StdioTest, StdioCanBeTakenOnce) {
  absl::StatusOr<Child> child = Spawn(OnStdio("ServesTwice"));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(child->Stop().ToString(), "exited with code 0");
  EXPECT_EQ(child->captured_error(),
            "FAILED_PRECONDITION: stdio: stdin and stdout of this process carry calls already\n");
}

TEST(StdioTest, WhatIsNoPipeIsRefused) {
  ChildOptions options = OnStdio("DeedsOnStdio");
  options.link = ChildLinkKind::kPipes;
  options.standard_input = Stdio::kNull;
  absl::Status status = Spawn(options).status();
  EXPECT_TRUE(absl::StrContains(
      status.message(),
      "stdio: stdin is a device; expected a pipe or a socket from a program that speaks ferry's "
      "protocol, and starts this one"))
      << status;
}

}  // namespace
}  // namespace ferry::test
