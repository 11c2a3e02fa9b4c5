// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What a child is started with, and how many.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/rpc/deeds_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

World Look(const Channel& channel) {
  absl::StatusOr<World> world = DeedsStub(channel).Look(Nothing());
  EXPECT_TRUE(world.ok()) << world.status();
  return world.ok() ? *world : World();
}

World LookFrom(const ChildOptions& options) {
  absl::StatusOr<Child> child = Spawn(options);
  EXPECT_TRUE(child.ok()) << child.status();
  return child.ok() ? Look(child->channel()) : World();
}

World LookFrom(const std::string& parameters) {
  absl::StatusOr<Channel> channel = Connect(DeedsAddress() + parameters);
  EXPECT_TRUE(channel.ok()) << channel.status();
  return channel.ok() ? Look(*channel) : World();
}

// The value of a variable; "(unset)" if there is none.
std::string Variable(const World& world, const std::string& name) {
  for (const std::string& entry : world.environment()) {
    if (entry.compare(0, name.size() + 1, name + "=") == 0) return entry.substr(name.size() + 1);
  }
  return "(unset)";
}

std::string AllBytes() {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

TEST(SpawnTest, ArgumentsArriveByteForByte) {
  ChildOptions options = DeedsChild();
  options.arguments.insert(options.arguments.end(), {"", " ", AllBytes(), "--flag=\"a b\""});
  World world = LookFrom(options);
  ASSERT_EQ(world.arguments_size(), 6);
  EXPECT_EQ(world.arguments(0), SelfPath());
  EXPECT_EQ(world.arguments(2), "");
  EXPECT_EQ(world.arguments(3), " ");
  EXPECT_EQ(world.arguments(4), AllBytes());
  EXPECT_EQ(world.arguments(5), "--flag=\"a b\"");
}

TEST(SpawnTest, AnAddressPassesArgumentsByteForByte) {
  std::string encoded;
  for (char byte : AllBytes()) {
    absl::StrAppend(&encoded, "%", absl::BytesToHexString({&byte, 1}));
  }
  World world = LookFrom("&arg=&arg=" + encoded);
  ASSERT_EQ(world.arguments_size(), 4);
  EXPECT_EQ(world.arguments(2), "");
  EXPECT_EQ(world.arguments(3), AllBytes());
}

TEST(SpawnTest, TheEnvironmentIsOursWithChangesOnTop) {
  setenv("FERRY_TEST_KEPT", "kept", 1);
  setenv("FERRY_TEST_CHANGED", "before", 1);
  ChildOptions options = DeedsChild();
  options.environment = {{"FERRY_TEST_CHANGED", "a=b\n" + AllBytes()}, {"FERRY_TEST_EMPTY", ""}};
  World world = LookFrom(options);
  EXPECT_EQ(Variable(world, "FERRY_TEST_KEPT"), "kept");
  EXPECT_EQ(Variable(world, "FERRY_TEST_CHANGED"), "a=b\n" + AllBytes());
  EXPECT_EQ(Variable(world, "FERRY_TEST_EMPTY"), "");

  options.inherit_environment = false;
  world = LookFrom(options);
  EXPECT_EQ(Variable(world, "FERRY_TEST_KEPT"), "(unset)");
  EXPECT_EQ(world.environment_size(), 2) << "FERRY_PARENT is unset once it has been read";

  world = LookFrom("&env=FERRY_TEST_CHANGED=a%26b&env=FERRY_TEST_NEW=");
  EXPECT_EQ(Variable(world, "FERRY_TEST_CHANGED"), "a&b");
  EXPECT_EQ(Variable(world, "FERRY_TEST_NEW"), "");
  unsetenv("FERRY_TEST_KEPT");
  unsetenv("FERRY_TEST_CHANGED");
}

TEST(SpawnTest, BadEnvironmentsAreRefused) {
  for (const auto& [name, value] : {std::pair<std::string, std::string>("", "a"),
                                    {"A=B", "a"},
                                    {"A", std::string("a\0b", 3)}}) {
    ChildOptions options = DeedsChild();
    options.environment = {{name, value}};
    EXPECT_EQ(Spawn(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(SpawnTest, AChildStartsInItsWorkingDirectory) {
  EXPECT_EQ(LookFrom("&cwd=/usr/lib").working_directory(), "/usr/lib");
  // A relative program is found from here, not from there.
  std::string folder = SelfPath().substr(0, SelfPath().rfind('/'));
  std::string before = std::filesystem::current_path();
  ASSERT_EQ(chdir(folder.c_str()), 0);
  ChildOptions options = DeedsChild();
  options.program = "." + SelfPath().substr(folder.size());
  options.working_directory = "/usr";
  EXPECT_EQ(LookFrom(options).working_directory(), "/usr");
  ASSERT_EQ(chdir(before.c_str()), 0);
}

// "0", "1", …: what is open in the child, in order.
std::vector<int> Numbers(const World& world) {
  std::vector<int> numbers;
  for (const std::string& descriptor : world.descriptors())
    numbers.push_back(atoi(descriptor.c_str()));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

TEST(SpawnTest, OnlyWhatIsPassedOnPurposeIsOpenInTheChild) {
  int leaky = open("/dev/null", O_RDONLY);  // not close-on-exec
  int high = fcntl(leaky, F_DUPFD, 1000);
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  ASSERT_EQ(write(pipe_ends[1], "passed", 6), 6);

  EXPECT_EQ(Numbers(LookFrom(DeedsChild())), (std::vector<int>{0, 1, 2, 3, 4}));
  ChildOptions options = DeedsChild();
  options.descriptors = {high, pipe_ends[0]};
  EXPECT_EQ(Numbers(LookFrom(options)), (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
  options.link = ChildLinkKind::kStdio;
  std::vector<int> private_ones = {0, 1, 2, 5, 6, 10, 11};  // 10 and 11 were 0 and 1
  EXPECT_EQ(Numbers(LookFrom(options)), private_ones);

  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  Number sixth;
  sixth.set_value(6);
  EXPECT_EQ(DeedsStub(child->channel()).ReadDescriptor(sixth)->text(), "passed");

  for (int fd : {leaky, high, pipe_ends[0], pipe_ends[1]}) EXPECT_EQ(close(fd), 0) << "ours stay";
  EXPECT_EQ(Spawn(options).status().message(),
            absl::StrCat("child '", SelfPath(), "': descriptor ", high,
                         ", to be passed to it, is not open"));
}

TEST(SpawnTest, DescriptorsOfEveryKindArePassed) {
  ChildOptions options = DeedsChild();
  options.descriptors = {eventfd(7, EFD_CLOEXEC), epoll_create1(EPOLL_CLOEXEC)};
  EXPECT_EQ(Numbers(LookFrom(options)), (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
  for (int fd : options.descriptors) close(fd);
}

TEST(SpawnTest, AWorkingDirectoryThatWasDeletedIsAnError) {
  std::string folder = testing::TempDir() + "ferry_gone_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::string before = std::filesystem::current_path();
  ASSERT_EQ(chdir(folder.c_str()), 0);
  ASSERT_EQ(rmdir(folder.c_str()), 0);
  ChildOptions options = DeedsChild();
  options.program = "./worker";
  options.working_directory = "/usr";
  EXPECT_EQ(Spawn(options).status().code(), absl::StatusCode::kNotFound);
  ASSERT_EQ(chdir(before.c_str()), 0);
}

TEST(SpawnTest, ANameIsLookedUpInThisProcesssPath) {
  std::string path = getenv("PATH");
  std::string before = std::filesystem::current_path();
  std::string folder = SelfPath().substr(0, SelfPath().rfind('/'));
  ASSERT_EQ(chdir(folder.c_str()), 0);
  ChildOptions options = DeedsChild();
  options.program = SelfPath().substr(folder.size() + 1);
  std::string other = testing::TempDir() + "ferry_path_XXXXXX";
  ASSERT_NE(mkdtemp(other.data()), nullptr);
  std::filesystem::create_directory(other + "/" + options.program);  // no program
  ASSERT_EQ(setenv("PATH", (other + "::/nowhere").c_str(), 1), 0);   // "" is this directory
  options.working_directory = "/usr";
  EXPECT_EQ(LookFrom(options).working_directory(), "/usr");
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
  std::filesystem::remove_all(other);
  ASSERT_EQ(chdir(before.c_str()), 0);
}

TEST(SpawnTest, AFloodOnACapturedStderrHoldsNobodyUp) {
  ChildOptions options = DeedsChild();
  options.standard_error = Stdio::kCapture;
  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  Number lines;
  lines.set_value(1000);  // 1 MB each
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(DeedsStub(child->channel()).Flood(lines).ok());
  Text last_words;
  last_words.set_text("last words");
  EXPECT_TRUE(DeedsStub(child->channel()).Complain(last_words).ok());
  child->Stop();
  EXPECT_EQ(child->captured_error().size(), 64u * 1024);
  EXPECT_TRUE(absl::EndsWith(child->captured_error(), "f\nlast words\n"));
}

TEST(SpawnTest, ManyThreadsStartChildrenAtOnce) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(Numbers(LookFrom(DeedsChild())), (std::vector<int>{0, 1, 2, 3, 4}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(SpawnTest, TwoHundredChildrenLiveAtOnce) {
  struct rlimit before, usual;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  usual = before;
  usual.rlim_cur = 1024;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  std::vector<Child> children;
  ChannelOptions patient;
  patient.handshake_timeout = absl::Minutes(1);
  for (int i = 0; i < 200; ++i) {
    absl::StatusOr<Child> child = Spawn(DeedsChild(), patient);
    ASSERT_TRUE(child.ok()) << i << " " << child.status();
    children.push_back(*std::move(child));
  }
  for (const Child& child : children) EXPECT_GT(Look(child.channel()).arguments_size(), 0);
  // Each sees the end of its own pipe: no other child holds it.
  for (const Child& child : children) EXPECT_EQ(child.Stop().ToString(), "exited with code 0");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(SpawnTest, AScriptMayWrapTheWorker) {
  ChildOptions options = DeedsChild();
  options.program = "sh";
  options.arguments = {"-c", "echo starting; exec \"$@\"", "sh", SelfPath(), ChildFlag("Deeds")};
  options.standard_output = Stdio::kCapture;
  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_GT(Look(child->channel()).arguments_size(), 0);
  EXPECT_EQ(child->captured_output(), "starting\n");
  // As a child of the script.
  options.arguments[1] = "\"$@\"; echo worker: $?";
  child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_GT(Look(child->channel()).arguments_size(), 0);
  EXPECT_EQ(child->Stop().ToString(), "exited with code 0");
}

TEST(SpawnTest, AStoppedChildIsEndedGently) {
  ChildOptions options = DeedsChild();
  options.grace = absl::Milliseconds(20);
  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  kill(child->pid(), SIGSTOP);
  EXPECT_EQ(child->Stop().ToString(), "was killed by signal 15 (SIGTERM)");
}

}  // namespace
}  // namespace ferry::test
