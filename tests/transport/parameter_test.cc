// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/parameter.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ferry/transport/internal/parameter_value.h"
#include "ferry/transport/internal/scheme.h"

namespace ferry {
namespace {

using internal::Takes;

std::string ErrorOf(const std::string& text) {
  return std::string(CheckAddress(*Address::Parse(text)).message());
}

TEST(ParameterTest, HaveOneNameEach) {
  std::set<std::string> names;
  for (const Parameter& parameter : Parameters()) {
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    EXPECT_EQ(FindParameter(parameter.name), &parameter);
  }
  EXPECT_EQ(FindParameter("none"), nullptr);
}

TEST(ParameterTest, TakeTheirStandardValuesAndLimits) {
  for (const Parameter& parameter : Parameters()) {
    SCOPED_TRACE(parameter.name);
    EXPECT_NE(parameter.schemes, 0);
    EXPECT_TRUE(*parameter.standard == '\0' || Takes(parameter, parameter.standard));
    EXPECT_TRUE(*parameter.lowest == '\0' || Takes(parameter, parameter.lowest));
    EXPECT_TRUE(*parameter.highest == '\0' || Takes(parameter, parameter.highest));
    if (parameter.kind == Parameter::Kind::kText) continue;
    EXPECT_FALSE(Takes(parameter, ""));
    EXPECT_FALSE(Takes(parameter, "-1"));
    EXPECT_FALSE(Takes(parameter, "10potatoes"));
  }
}

TEST(ParameterTest, UnknownOnesListWhatTheSchemeHas) {
  EXPECT_EQ(ErrorOf("exec:a?args=b"),
            "address 'exec:a?args=b': unknown parameter 'args' (did you mean 'arg'?); exec: has "
            "arg, env, cwd, transport, stdin, stdout, stderr, grace, restart, restart_limit, "
            "restart_window, spin, max_message, handshake_timeout, reconnect, max_backoff, "
            "keepalive");
  EXPECT_EQ(ErrorOf("parent:?b=c"),
            "address 'parent:?b=c': unknown parameter 'b'; parent: has orphan_grace, spin, "
            "max_message, request_credit, max_requests, max_connection_memory");
  EXPECT_EQ(ErrorOf("unix-abstract:a?ring=64KiB"),
            "address 'unix-abstract:a?ring=64KiB': ring is a parameter of shm: and exec: with "
            "transport=shm; unix-abstract: has spin, max_message, handshake_timeout, "
            "wait_for_ready, reconnect, max_backoff, keepalive, max_connections, "
            "max_connections_per_process, max_handshakes, request_credit, max_requests, "
            "max_connection_memory");
  EXPECT_EQ(ErrorOf("exec:a?ring=64KiB"),
            "address 'exec:a?ring=64KiB': ring is a parameter of transport=shm");
  EXPECT_EQ(ErrorOf("exec:a?transport=unix&trusted=1"),
            "address 'exec:a?transport=unix&trusted=1': trusted is a parameter of transport=shm");
  EXPECT_EQ(ErrorOf("exec:a?transport=shm&trusted=1"), "");
}

TEST(ParameterTest, UnfitValuesSayWhichFit) {
  const std::pair<const char*, const char*> wrong[] = {
      {"exec:a?transport=tcp", "transport='tcp', expected pipe, stdio, unix or shm"},
      {"exec:a?transport=shn",
       "transport='shn' (did you mean 'shm'?), expected pipe, stdio, unix or shm"},
      {"exec:a?transport=shm&ring=1GiB",
       "ring='1GiB', expected a size such as 64KiB, at most 64MiB"},
      {"shm:a?ring=64KB", "ring='64KB', expected a size such as 64KiB, at most 64MiB"},
      {"shm:a?trusted=yes", "trusted='yes', expected 0 or 1"},
      {"exec:a?env=B", "env='B', expected NAME=VALUE"},
      {"exec:a?env==B", "env='=B', expected NAME=VALUE"},
      {"exec:a?stderr=file", "stderr='file', expected inherit, null or capture"},
      {"exec:a?stdin=capture", "stdin='capture', expected inherit or null"},
      {"exec:a?restart=allways",
       "restart='allways' (did you mean 'always'?), expected never, on-failure or always"},
      {"exec:a?restart_limit=0",
       "restart_limit='0', expected a number such as 5, at least 1, or inf"},
      {"parent:?orphan_grace=-1s", "orphan_grace='-1s', expected a duration such as 5s, or inf"},
      {"stdio:?spin=20", "spin='20', expected a duration such as 100us, at most 10ms, or 0"},
      {"unix:a?keepalive=1us",
       "keepalive='1us', expected a duration such as 5s, at least 1ms, or inf"},
      {"unix:a?max_requests=many",
       "max_requests='many', expected a number such as 16, at least 1, or inf"},
      {"unix:a?max_message=2GiB",
       "max_message='2GiB', expected a size such as 64MiB, at most 2147483647"},
  };
  for (const auto& [address, message] : wrong) {
    EXPECT_EQ(ErrorOf(address), absl::StrCat("address '", address, "': ", message));
  }
}

TEST(ParameterTest, ValuesOfTheOtherSideAreChecked) {
  EXPECT_EQ(ErrorOf("unix:a?max_requests=5&keepalive=5s"), "");
  EXPECT_NE(ErrorOf("unix:a?max_requests=5s&keepalive=5s"), "");
  EXPECT_NE(ErrorOf("unix:a?max_requests=5&keepalive=5"), "");
}

TEST(ParameterTest, AreReadAsTheirTypes) {
  const Address address = *Address::Parse(
      "exec:a?transport=shm&ring=1MiB&trusted=true&grace=1.5s&cwd=/b&spin=1us&spin=2us&"
      "restart_limit=inf");
  ASSERT_TRUE(CheckAddress(address).ok()) << CheckAddress(address);
  size_t ring = 0, restart_limit = 0;
  bool trusted = false;
  absl::Duration grace, spin, keepalive = absl::Seconds(7);
  std::string cwd;
  Read(address, "ring", ring);
  Read(address, "trusted", trusted);
  Read(address, "grace", grace);
  Read(address, "spin", spin);
  Read(address, "cwd", cwd);
  Read(address, "restart_limit", restart_limit);
  Read(address, "keepalive", keepalive);
  EXPECT_EQ(ring, size_t{1} << 20);
  EXPECT_TRUE(trusted);
  EXPECT_EQ(grace, absl::Milliseconds(1500));
  EXPECT_EQ(spin, absl::Microseconds(2)) << "the last one holds";
  EXPECT_EQ(cwd, "/b");
  EXPECT_EQ(restart_limit, std::numeric_limits<size_t>::max());
  EXPECT_EQ(keepalive, absl::Seconds(7)) << "not said";
  EXPECT_EQ(ChoiceOf(address, "transport"), 3);
  EXPECT_EQ(ChoiceOf(address, "restart"), std::nullopt);
}

}  // namespace
}  // namespace ferry
