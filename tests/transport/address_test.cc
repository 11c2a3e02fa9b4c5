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
  EXPECT_EQ(address->parameters[0].name, "arg");
  EXPECT_EQ(address->parameters[0].value, "a b");
  EXPECT_EQ(address->parameters[1].value, "");
  EXPECT_EQ(address->Find("arg"), &address->parameters[1]);
  EXPECT_EQ(address->Find("x")->value, "1=2");
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
  ExpectError(Address::Parse("kv?cwd=a:b").status(),
              "address 'kv?cwd=a:b': expected SCHEME:BODY, such as exec:PROGRAM");
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

TEST(AddressTest, UnknownSchemesListWhatExists) {
  ExpectError(Connecting("tcp:host"),
              "address 'tcp:host': unknown scheme 'tcp:'; there are exec:, inproc:, named-pipe:, "
              "shm:, stdio:, unix: and unix-abstract: to connect to");
  ExpectError(Listening("unx:/tmp/a"),
              "address 'unx:/tmp/a': unknown scheme 'unx:' (did you mean 'unix:'?); there are "
              "inproc:, named-pipe:, parent:, shm:, stdio:, unix: and unix-abstract: to serve");
  ExpectError(Listening("exec:a"),
              "address 'exec:a': exec: is not a scheme to serve; there are inproc:, named-pipe:, "
              "parent:, shm:, stdio:, unix: and unix-abstract:");
  ExpectError(Connecting("parent:"),
              "address 'parent:': parent: is not a scheme to connect to; there are exec:, inproc:, "
              "named-pipe:, shm:, stdio:, unix: and unix-abstract:");
}

TEST(AddressTest, BodiesAreWhatTheSchemeHas) {
  ExpectError(Connecting("exec:"), "address 'exec:': expected exec:PROGRAM");
  ExpectError(Connecting("inproc:"), "address 'inproc:': expected inproc:NAME");
  ExpectError(Connecting("unix:/a b"),
              "address 'unix:/a b': expected unix:PATH, in which a space is written %20");
  ExpectError(Listening("parent:x"), "address 'parent:x': expected parent: and nothing behind it");
  ExpectError(Connecting("exec:a?transport=stdio&stdin=null"),
              "child 'a': its stdin and stdout carry the calls, and cannot be anything else");
}

TEST(AddressTest, DescribesAChild) {
  absl::StatusOr<ChildOptions> child = ChildOptionsOf(
      *Address::Parse("exec:a b?arg=c&env=X=Y=Z&env=E=&cwd=/&transport=shm&ring=1MiB&trusted=1&"
                      "stdin=null&stdout=capture&stderr=null&grace=5s"));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(child->program, "a");
  EXPECT_EQ(child->arguments, (Words{"b", "c"}));
  EXPECT_EQ(child->environment, (std::map<std::string, std::string>{{"X", "Y=Z"}, {"E", ""}}));
  EXPECT_EQ(child->working_directory, "/");
  EXPECT_EQ(child->link, ChildLinkKind::kShm);
  EXPECT_EQ(child->shm.ring, size_t{1} << 20);
  EXPECT_TRUE(child->shm.trusted);
  EXPECT_EQ(child->standard_input, Stdio::kNull);
  EXPECT_EQ(child->standard_output, Stdio::kCapture);
  EXPECT_EQ(child->standard_error, Stdio::kNull);
  EXPECT_EQ(child->grace, absl::Seconds(5));
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
        absl::StrCat("spin='", bad, "', expected a duration such as 100us, at most 10ms, or 0");
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
