// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/spawn.h"
#include "ferry/transport/parameter.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/child_body.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {
namespace {

using absl::StatusCode;
using internal::ResolveAddress;

CHILD_BODY(ConfiguredWorker) {
  EchoImpl service;
  Server server;
  server.Register(service);
  return ExitCode(server.Serve("parent:"));
}

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override { unsetenv("FERRY_CONFIG"); }
  void TearDown() override {
    unsetenv("FERRY_CONFIG");
    std::filesystem::remove(file_);
  }

  void Write(const std::string& text) { std::ofstream(file_) << text; }

  // What is wrong with the text, without the path that it begins with.
  std::string ErrorOf(const std::string& text, const std::string& given = "kv") {
    Write(text);
    absl::Status status = ResolveAddress(given, file_).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    if (!absl::StartsWith(status.message(), file_ + ":")) return std::string(status.message());
    return std::string(status.message().substr(file_.size()));
  }

  TempFolder folder_;
  const std::string file_ = folder_ / "config";
};

// "NAME=VALUE@WHERE"
std::vector<std::string> Given(const Address& address) {
  std::vector<std::string> texts;
  for (const AddressParameter& parameter : address.parameters) {
    texts.push_back(absl::StrCat(parameter.name, "=", parameter.value, "@", parameter.where));
  }
  return texts;
}

TEST_F(ConfigTest, AnAddressNeedsNoFile) {
  setenv("FERRY_CONFIG", "/nowhere", 1);
  absl::StatusOr<Address> address = ResolveAddress("unix:/tmp/kv?spin=5us", "/nowhere");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->scheme, "unix");
  EXPECT_EQ(ResolveAddress("unix:/tmp/kv?sping=5us", "").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(ConfigTest, FieldsBecomeParameters) {
  Write(R"(
    # A comment.
    endpoint { name: "other" address: "inproc:other" }
    endpoint {
      name: "kv"
      address: "exec:worker?transport=shm&arg=a"
      arg: "b" arg: "\xff c"
      trusted: true
      restart_limit: 7
      spin: "5us"
    })");
  absl::StatusOr<Address> address = ResolveAddress("kv?arg=d&spin=6us", file_);
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->scheme, "exec");
  const std::string in_file = file_ + ":";
  const std::string in_address = file_ +
                                 ":6: endpoint 'kv': address "
                                 "'exec:worker?transport=shm&arg=a'";
  EXPECT_EQ(Given(*address), (std::vector<std::string>{
                                 "transport=shm@" + in_address,
                                 "arg=a@" + in_address,
                                 "arg=b@" + file_ + ":7: endpoint 'kv'",
                                 "arg=\xff c@" + file_ + ":7: endpoint 'kv'",
                                 "restart_limit=7@" + file_ + ":9: endpoint 'kv'",
                                 "spin=5us@" + file_ + ":10: endpoint 'kv'",
                                 "trusted=1@" + file_ + ":8: endpoint 'kv'",
                                 "arg=d@address 'kv?arg=d&spin=6us'",
                                 "spin=6us@address 'kv?arg=d&spin=6us'",
                             }));
}

TEST_F(ConfigTest, TheProgramsFileGoesBeforeTheEnvironments) {
  Write("endpoint { name: 'kv' address: 'inproc:mine' }");
  const std::string other = folder_ / "other";
  std::ofstream(other) << "endpoint { name: 'kv' address: 'inproc:other' }";
  setenv("FERRY_CONFIG", other.c_str(), 1);
  EXPECT_EQ(ResolveAddress("kv", "")->words[0], "other");
  EXPECT_EQ(ResolveAddress("kv", file_)->words[0], "mine");
  std::filesystem::remove(other);
}

TEST_F(ConfigTest, IsReadEachTime) {
  Write("endpoint { name: 'kv' address: 'inproc:a' }");
  EXPECT_EQ(ResolveAddress("kv", file_)->scheme, "inproc");
  Write("endpoint { name: 'kv' address: 'unix:a' }");
  EXPECT_EQ(ResolveAddress("kv", file_)->scheme, "unix");
}

TEST_F(ConfigTest, ANameNeedsAFileThatHasIt) {
  EXPECT_EQ(ResolveAddress("kv", "").status(),
            absl::FailedPreconditionError(
                "address 'kv': a name without a scheme is looked up in a configuration file, and "
                "neither FERRY_CONFIG nor the program names one; or give SCHEME:BODY, such as "
                "unix:PATH"));
  EXPECT_EQ(
      ResolveAddress("kv", file_).status(),
      absl::NotFoundError("address 'kv': configuration " + file_ + ": No such file or directory"));
  EXPECT_EQ(ResolveAddress("kv", folder_.path()).status(),
            absl::InvalidArgumentError("address 'kv': configuration " + folder_.path() +
                                       ": expected a regular file"));
  Write("");
  EXPECT_EQ(ResolveAddress("kv", file_).status(),
            absl::NotFoundError("address 'kv': " + file_ + " has no endpoint 'kv'; it has none"));
  Write("endpoint { name: 'kv' address: 'inproc:a' } endpoint { name: 'x' address: 'inproc:b' }");
  EXPECT_EQ(ResolveAddress("kw?spin=0", file_).status(),
            absl::NotFoundError("address 'kw?spin=0': " + file_ +
                                " has no endpoint 'kw' (did you mean 'kv'?); it has kv, x"));
}

TEST_F(ConfigTest, NamesHaveFewCharacters) {
  const std::string expected =
      "': expected SCHEME:BODY, such as unix:PATH, or the name of an endpoint in a configuration "
      "file, of letters, digits, '_', '-' and '.'";
  for (const char* given : {"", "/tmp/kv", "k v", "?spin=0", "k\xc3\xa4se"}) {
    EXPECT_EQ(ResolveAddress(given, file_).status(),
              absl::InvalidArgumentError(absl::StrCat("address '", given, expected)));
  }
  Write("endpoint { name: 'Key-Value_store.2' address: 'inproc:a' }");
  EXPECT_TRUE(ResolveAddress("Key-Value_store.2", file_).ok());
}

// What is behind line and column is protobuf's text.
TEST_F(ConfigTest, WhatIsNoTextprotoIsShown) {
  const std::pair<const char*, const char*> wrong[] = {
      {"endpoint {\n  name 'kv'\n}", ":2:8: Expected "},
      {"endpoint {\n  name: 'kv'", ":2:13: Expected "},
      {"endpoint { name: 'kv' max_connections: '5' }", ":1:40: Expected integer"},
      {"endpoint { name: 'kv' name: 'kw' }", ":1:27: Non-repeated field "},
      {"\x7f\x45LF", ":1:1: "},
  };
  for (const auto& [text, error] : wrong) {
    EXPECT_TRUE(absl::StartsWith(ErrorOf(text), error)) << ErrorOf(text);
  }
}

TEST_F(ConfigTest, UnknownFieldsListWhatThereIs) {
  EXPECT_EQ(ErrorOf("endpoints { }"),
            ":1:11: unknown field 'endpoints' (did you mean 'endpoint'?); Config has endpoint");
  const std::string error = ErrorOf("endpoint {\n  name: 'kv'\n  sping: '5us'\n}");
  EXPECT_TRUE(absl::StartsWith(error,
                               ":3:8: unknown field 'sping' (did you mean 'spin'?); Endpoint has "
                               "name, address, arg, env, "))
      << error;
}

TEST_F(ConfigTest, EndpointsHaveAnAddressAndANameOfTheirOwn) {
  EXPECT_EQ(ErrorOf("\nendpoint { address: 'inproc:a' }"), ":2: an endpoint without a name");
  EXPECT_EQ(ErrorOf("endpoint { name: 'a/b' address: 'inproc:a' }"),
            ":1: endpoint 'a/b': expected a name of letters, digits, '_', '-' and '.'");
  EXPECT_EQ(ErrorOf("endpoint { name: 'kv' }"), ":1: endpoint 'kv': it has no address");
  EXPECT_EQ(ErrorOf("endpoint { name: 'kv' address: 'inproc:a' }\n"
                    "endpoint {\n  name: 'kv' address: 'inproc:b' }"),
            ":3: endpoint 'kv': there is one of that name at " + file_ + ":1");
  EXPECT_EQ(ErrorOf("endpoint { name: 'kv' address: 'inproc:a' }\n"
                    "endpoint { name: 'alias' address: 'kv' }"),
            ":2: endpoint 'alias': address 'kv': expected SCHEME:BODY, such as unix:PATH; a name "
            "cannot stand for another");
}

TEST_F(ConfigTest, UnfitParametersAreFound) {
  const std::string start = "endpoint {\n  name: 'kv'\n  address: 'unix:/tmp/kv'\n  ";
  EXPECT_EQ(ErrorOf(start + "spin: '20zz' }"),
            ":4: endpoint 'kv': spin='20zz', expected a duration such as 100us, at most 10ms, or "
            "0");
  EXPECT_TRUE(absl::StartsWith(ErrorOf(start + "ring: '64KiB' }"),
                               ":4: endpoint 'kv': ring is a parameter of shm: and exec: with "
                               "transport=shm; unix: has spin, max_message, "));
  EXPECT_EQ(ErrorOf(start + "max_connections: 0 }"),
            ":4: endpoint 'kv': max_connections='0', expected a number such as 4096, at least 1, "
            "or inf");
  EXPECT_EQ(ErrorOf(start + "spin: '5us' }", "kv?spin=6"),
            "address 'kv?spin=6': spin='6', expected a duration such as 100us, at most 10ms, or "
            "0");
  EXPECT_EQ(ErrorOf("endpoint {\n name: 'kv'\n address: 'unix:/tmp/kv?spin=%2'\n}"),
            ":3: endpoint 'kv': address 'unix:/tmp/kv?spin=%2': '%2' is not % and two hexadecimal "
            "digits; a % itself is written %25");
  EXPECT_EQ(ErrorOf("endpoint {\n name: 'kv'\n address: 'unix:/tmp/kv?spin=5'\n}"),
            ":3: endpoint 'kv': address 'unix:/tmp/kv?spin=5': spin='5', expected a duration such "
            "as 100us, at most 10ms, or 0");
  EXPECT_EQ(ErrorOf("endpoint {\n name: 'kv'\n address: 'unix:/tmp/kv?spin=5us'\n spin: '5us' }"),
            ":4: endpoint 'kv': spin is in the address, too");
  EXPECT_EQ(ErrorOf("endpoint {\n name: 'kv'\n address: 'smh:kv'\n}"),
            ":3: endpoint 'kv': address 'smh:kv': unknown scheme 'smh:' (did you mean 'shm:'?); "
            "there are exec:, inproc:, named-pipe:, parent:, shm:, stdio:, unix: and "
            "unix-abstract: to serve or to connect to");
}

TEST_F(ConfigTest, WhatIsInAListHasALine) {
  EXPECT_EQ(ErrorOf("endpoint: [\n{ name: 'a' address: 'inproc:a' },\n{ name: 'kv' }\n]"),
            ":3: endpoint 'kv': it has no address");
  EXPECT_EQ(ErrorOf("endpoint {\n name: 'kv' address: 'exec:a'\n env: ['A=1',\n 'B'] }"),
            ":3: endpoint 'kv': env='B', expected NAME=VALUE");
  EXPECT_EQ(ErrorOf("endpoint: [{ name: 'a' address: 'inproc:a' },\n{\nname: 'b' }]\n"
                    "endpoint {\nname: 'kv' address: 'inproc:a' }"),
            ":3: endpoint 'b': it has no address");
}

TEST_F(ConfigTest, ServerAndClientMeetUnderAName) {
  const std::string socket = folder_ / "socket";
  Write("endpoint { name: 'kv' address: 'unix:" + socket + "' }");
  ServerOptions server_options;
  server_options.config_file = file_;
  EchoImpl service;
  Server server(server_options);
  server.Register(service);
  ASSERT_TRUE(server.Listen("kv").ok());
  std::thread serving([&] { EXPECT_TRUE(server.Serve().ok()); });
  setenv("FERRY_CONFIG", file_.c_str(), 1);
  absl::StatusOr<Channel> channel = Connect("kv");
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_TRUE(EchoStub(*channel).Echo(EchoRequest()).ok());
  server.Shutdown();
  serving.join();
  std::filesystem::remove(socket + ".lock");
}

TEST_F(ConfigTest, OptionsInTheFileGoBeforeThePrograms) {
  Write("endpoint { name: 'kv' address: 'unix:" + (folder_ / "none") + "' wait_for_ready: '5ms' }");
  ChannelOptions options;
  options.config_file = file_;
  options.wait_for_ready = absl::InfiniteDuration();
  absl::Status status = Connect("kv", options).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "(waited 5ms for it)")) << status;
}

TEST_F(ConfigTest, AChildIsSpawnedByName) {
  ChannelOptions options;
  options.config_file = file_;
  for (const char* transport : {"pipe", "unix", "shm"}) {
    Write(absl::StrCat("endpoint { name: 'kv' address: 'exec:", SelfPath(), "' arg: '",
                       ChildFlag("ConfiguredWorker"), "' transport: '", transport, "' }"));
    absl::StatusOr<Child> child = Spawn("kv?spin=0", options);
    ASSERT_TRUE(child.ok()) << child.status();
    EXPECT_TRUE(EchoStub(child->channel()).Echo(EchoRequest()).ok());
    EXPECT_EQ(child->Stop().ToString(), "exited with code 0");
  }
  Write("endpoint { name: 'kv' address: 'inproc:kv' }");
  EXPECT_EQ(Spawn("kv", options).status(),
            absl::InvalidArgumentError(file_ + ":1: endpoint 'kv': address 'inproc:kv': inproc: "
                                               "is not a scheme to start a program with; there "
                                               "are exec:"));
}

}  // namespace
}  // namespace ferry::test
