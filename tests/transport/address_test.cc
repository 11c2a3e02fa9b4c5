// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/address.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "ferry/transport/endpoint.h"

namespace ferry {
namespace {

using Words = std::vector<std::string>;

TEST(AddressTest, HasASchemeWordsAndParameters) {
  absl::StatusOr<Address> address = Address::Parse("exec:bin/worker --flag?arg=a%20b&arg=&x=1=2");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->scheme, "exec");
  EXPECT_EQ(address->words, (Words{"bin/worker", "--flag"}));
  ASSERT_EQ(address->parameters.size(), 3u);
  EXPECT_EQ(address->parameters[0], (std::pair<std::string, std::string>("arg", "a b")));
  EXPECT_EQ(address->parameters[1].second, "");
  EXPECT_EQ(*address->Find("x"), "1=2");
  EXPECT_EQ(address->Find("y"), nullptr);
}

TEST(AddressTest, PercentCarriesAnyByte) {
  absl::StatusOr<Address> address = Address::Parse("exec:a%3Fb%20c%25");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->words, (Words{"a?b c%"}));
}

void ExpectError(const absl::Status& status, const std::string& message) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), message);
}

TEST(AddressTest, ErrorsNameTheAddressAndWhatIsWrong) {
  ExpectError(Address::Parse("kv").status(),
              "address 'kv': expected SCHEME:BODY, such as exec:PROGRAM");
  ExpectError(Address::Parse(":kv").status(),
              "address ':kv': expected SCHEME:BODY, such as exec:PROGRAM");
  ExpectError(Address::Parse("exec:a%2").status(),
              "address 'exec:a%2': '%2' is not % and two hexadecimal digits; a % itself is "
              "written %25");
  ExpectError(Address::Parse("exec:a?arg").status(),
              "address 'exec:a?arg': parameter 'arg' is not of the form NAME=VALUE");
}

absl::Status Connecting(const char* text) {
  return ConnectTransport(*Address::Parse(text), kNoDeadline).status();
}
absl::Status Listening(const char* text) { return Listen(*Address::Parse(text)).status(); }

TEST(AddressTest, UnknownThingsListWhatExists) {
  ExpectError(Connecting("tcp:host"),
              "address 'tcp:host': unknown scheme 'tcp:'; there are exec:, inproc:, named-pipe:, "
              "shm:, stdio:, unix: and unix-abstract: to "
              "connect to");
  ExpectError(Listening("exec:a"),
              "address 'exec:a': unknown scheme 'exec:'; there are inproc:, named-pipe:, parent:, "
              "shm:, stdio:, unix: and unix-abstract: "
              "to serve");
  ExpectError(
      Connecting("exec:a?args=b"),
      "address 'exec:a?args=b': unknown parameter 'args'; exec: has arg, env, cwd, transport, "
      "stdin, stdout, stderr, spin, ring, trusted");
  ExpectError(Connecting("inproc:a?b=c"),
              "address 'inproc:a?b=c': unknown parameter 'b'; inproc: has spin");
  ExpectError(Connecting("exec:a?transport=tcp"),
              "address 'exec:a?transport=tcp': transport='tcp', expected pipe, stdio, unix or shm");
  ExpectError(Connecting("exec:a?ring=64KiB"),
              "address 'exec:a?ring=64KiB': ring is a parameter of transport=shm");
  ExpectError(Connecting("exec:a?transport=unix&trusted=1"),
              "address 'exec:a?transport=unix&trusted=1': trusted is a parameter of transport=shm");
  ExpectError(Connecting("exec:a?transport=shm&ring=1GiB"),
              "address 'exec:a?transport=shm&ring=1GiB': ring='1GiB', expected a size such as "
              "256KiB, at most 64MiB");
  ExpectError(Connecting("exec:a?env=B"), "address 'exec:a?env=B': env='B', expected NAME=VALUE");
  ExpectError(Connecting("exec:a?transport=stdio&stdin=null"),
              "child 'a': its stdin and stdout carry the calls, and cannot be anything else");
  ExpectError(Listening("parent:?orphan_grace=-1s"),
              "address 'parent:?orphan_grace=-1s': orphan_grace='-1s', expected a duration such "
              "as 5s, or inf");
  ExpectError(Connecting("exec:a?stderr=file"),
              "address 'exec:a?stderr=file': stderr='file', expected inherit, null or capture");
  ExpectError(Connecting("exec:a?stdin=capture"),
              "address 'exec:a?stdin=capture': stdin='capture', expected inherit or null");
  ExpectError(Connecting("exec:"), "address 'exec:': expected exec:PROGRAM");
  ExpectError(Connecting("inproc:"), "address 'inproc:': expected inproc:NAME");
  ExpectError(Connecting("stdio:?a=b"),
              "address 'stdio:?a=b': unknown parameter 'a'; stdio: has spin");
  ExpectError(Listening("parent:x"), "address 'parent:x': expected parent: and nothing behind it");
}

TEST(AddressTest, SpinIsTheLimitOfBothEnds) {
  std::unique_ptr<Listener> listener = *Listen(*Address::Parse("inproc:spinning?spin=20us"));
  auto client = ConnectTransport(*Address::Parse("inproc:spinning?spin=1ms"), kNoDeadline);
  EXPECT_EQ((*client)->spin_limit(), absl::Milliseconds(1));
  EXPECT_EQ((*listener->TryAccept())->spin_limit(), absl::Microseconds(20));
  EXPECT_EQ(*listener->TryAccept(), nullptr);
}

TEST(AddressTest, SpinIsADurationThatIsNotLong) {
  EXPECT_TRUE(Listening("unix-abstract:ferry.spin?spin=0").ok());
  for (const char* bad : {"", "20", "-1us", "11ms", "inf", "never"}) {
    std::string expected =
        absl::StrCat("spin='", bad, "', expected a duration such as 20us, at most 10ms, or 0");
    for (const char* scheme : {"exec:a", "stdio:", "unix:a", "inproc:a"}) {
      std::string address = absl::StrCat(scheme, "?spin=", bad);
      ExpectError(Connecting(address.c_str()), absl::StrCat("address '", address, "': ", expected));
    }
    for (const char* scheme : {"parent:", "stdio:", "named-pipe:a"}) {
      std::string address = absl::StrCat(scheme, "?spin=", bad);
      ExpectError(Listening(address.c_str()), absl::StrCat("address '", address, "': ", expected));
    }
  }
}

TEST(AddressTest, OneNameIsServedOnce) {
  absl::StatusOr<std::unique_ptr<Listener>> first = Listen(*Address::Parse("inproc:name"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Listening("inproc:name").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Connecting("inproc:name").ok());
  first->reset();
  EXPECT_EQ(Connecting("inproc:name").code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Listening("inproc:name").ok());
}

}  // namespace
}  // namespace ferry
