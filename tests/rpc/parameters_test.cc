// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The table of parameters, the message Endpoint, docs/configuration.md and the options of
// channels, servers and children say the same.

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ferry/proto/config.pb.h"
#include "ferry/rpc/internal/config.h"
#include "ferry/transport/endpoint.h"
#include "ferry/transport/internal/scheme.h"
#include "ferry/transport/internal/shm_parameters.h"
#include "ferry/transport/parameter.h"
#include "ferry/transport/parent_link.h"
#include "tests/support/doc_table.h"

namespace ferry {
namespace {

using google::protobuf::FieldDescriptor;
using Kind = Parameter::Kind;

FieldDescriptor::CppType TypeOf(Kind kind) {
  if (kind == Kind::kFlag) return FieldDescriptor::CPPTYPE_BOOL;
  return kind == Kind::kCount ? FieldDescriptor::CPPTYPE_UINT64 : FieldDescriptor::CPPTYPE_STRING;
}

TEST(ParametersTest, AreTheFieldsOfAnEndpoint) {
  std::set<std::string> names = {"name", "address"};
  for (const Parameter& parameter : Parameters()) {
    names.insert(parameter.name);
    const FieldDescriptor* field = Endpoint::descriptor()->FindFieldByName(parameter.name);
    ASSERT_NE(field, nullptr) << parameter.name;
    EXPECT_EQ(field->is_repeated(), parameter.repeats) << parameter.name;
    EXPECT_TRUE(field->is_repeated() || field->has_presence()) << parameter.name;
    EXPECT_EQ(field->cpp_type(), TypeOf(parameter.kind)) << parameter.name;
  }
  for (int i = 0; i < Endpoint::descriptor()->field_count(); ++i) {
    EXPECT_EQ(names.count(std::string(Endpoint::descriptor()->field(i)->name())), 1u) << i;
  }
}

// With every parameter of the scheme that has a standard value at that value.
Address Standard(const std::string& text, internal::SchemeSet schemes) {
  Address address = *Address::Parse(text);
  for (const Parameter& parameter : Parameters()) {
    if ((parameter.schemes & schemes) == 0 || *parameter.standard == '\0') continue;
    if (address.Find(parameter.name) != nullptr) continue;
    address.parameters.push_back({parameter.name, parameter.standard, "the table"});
  }
  EXPECT_TRUE(CheckAddress(address).ok()) << CheckAddress(address);
  return address;
}

TEST(ParametersTest, StandardValuesAreThoseOfChannels) {
  ChannelOptions options;
  const ChannelOptions standard;
  options.max_message = options.restart_limit = 77;
  options.handshake_timeout = options.wait_for_ready = options.max_backoff = options.keepalive =
      options.restart_window = absl::Hours(77);
  options.reconnect = Reconnect::kAtOnce;
  options.restart = Restart::kAlways;
  internal::Apply(Standard("unix:a", internal::kUnix), options);
  internal::Apply(Standard("exec:a", internal::kExec), options);
  EXPECT_EQ(options.max_message, standard.max_message);
  EXPECT_EQ(options.handshake_timeout, standard.handshake_timeout);
  EXPECT_EQ(options.wait_for_ready, standard.wait_for_ready);
  EXPECT_EQ(options.reconnect, standard.reconnect);
  EXPECT_EQ(options.max_backoff, standard.max_backoff);
  EXPECT_EQ(options.keepalive, standard.keepalive);
  EXPECT_EQ(options.restart, standard.restart);
  EXPECT_EQ(options.restart_limit, standard.restart_limit);
  EXPECT_EQ(options.restart_window, standard.restart_window);
}

TEST(ParametersTest, StandardValuesAreThoseOfServers) {
  ServerOptions options;
  const ServerOptions standard;
  options.max_message = options.max_connections = options.max_connections_per_process =
      options.max_handshakes = options.request_credit = options.max_requests =
          options.max_connection_memory = 77;
  options.handshake_timeout = absl::Hours(77);
  internal::Apply(Standard("unix:a", internal::kUnix), options);
  EXPECT_EQ(options.max_message, standard.max_message);
  EXPECT_EQ(options.handshake_timeout, standard.handshake_timeout);
  EXPECT_EQ(options.max_connections, standard.max_connections);
  EXPECT_EQ(options.max_connections_per_process, standard.max_connections_per_process);
  EXPECT_EQ(options.max_handshakes, standard.max_handshakes);
  EXPECT_EQ(options.request_credit, standard.request_credit);
  EXPECT_EQ(options.max_requests, standard.max_requests);
  EXPECT_EQ(options.max_connection_memory, standard.max_connection_memory);
}

TEST(ParametersTest, StandardValuesAreThoseOfTransports) {
  const ChildOptions standard;
  absl::StatusOr<ChildOptions> child = ChildOptionsOf(Standard("exec:a", internal::kExec));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(child->link, standard.link);
  EXPECT_EQ(child->standard_input, standard.standard_input);
  EXPECT_EQ(child->standard_output, standard.standard_output);
  EXPECT_EQ(child->standard_error, standard.standard_error);
  EXPECT_EQ(child->grace, standard.grace);
  const Address shm = Standard("shm:a", internal::kShm);
  EXPECT_EQ(internal::ShmOptionsOf(shm).ring, ShmOptions().ring);
  EXPECT_EQ(internal::ShmOptionsOf(shm).trusted, ShmOptions().trusted);
  absl::Duration spin, orphan_grace;
  Read(shm, "spin", spin);
  EXPECT_EQ(spin, kDefaultSpinLimit);
  Read(Standard("parent:", internal::kParent), "orphan_grace", orphan_grace);
  EXPECT_EQ(orphan_grace, kDefaultOrphanGrace);
}

std::string DocKind(const Parameter& parameter) {
  switch (parameter.kind) {
    case Kind::kText:
      return "text";
    case Kind::kVariable:
      return "NAME=VALUE";
    case Kind::kChoice:
      return absl::StrReplaceAll(parameter.choices, {{"|", ", "}});
    case Kind::kDuration:
      return "duration";
    case Kind::kSize:
      return "bytes";
    case Kind::kCount:
      return "count";
    case Kind::kFlag:
      return "0, 1";
  }
  return "";
}

std::string DocLimits(const Parameter& parameter) {
  return *parameter.highest == '\0' ? "" : absl::StrCat(parameter.lowest, " … ", parameter.highest);
}

std::string DocSchemes(const Parameter& parameter) {
  if (parameter.schemes == internal::kEvery) return "all";
  if (parameter.schemes == internal::kNamed) return "named";
  if (parameter.schemes == (internal::kNamed | internal::kExec)) return "named, exec";
  return absl::StrReplaceAll(internal::ListOf(parameter.schemes), {{":", ""}, {" and ", ", "}});
}

TEST(ParametersTest, AreInTheDocument) {
  constexpr const char* kSides[] = {"client", "server", "both"};
  std::map<std::string, std::string> documented;
  for (const auto& row : test::DocTable("docs/configuration.md", "## Parameters")) {
    ASSERT_EQ(row.size(), 7u) << row.front();
    EXPECT_FALSE(row[1].empty()) << row.front();
    std::vector<std::string> checked = {row.begin() + 2, row.end()};
    EXPECT_TRUE(documented.emplace(row[0], absl::StrJoin(checked, " | ")).second) << row[0];
  }
  EXPECT_EQ(documented.size(), Parameters().size());
  for (const Parameter& parameter : Parameters()) {
    EXPECT_EQ(documented[parameter.name],
              absl::StrJoin(
                  {DocKind(parameter), std::string(parameter.standard), DocLimits(parameter),
                   std::string(kSides[static_cast<int>(parameter.side)]), DocSchemes(parameter)},
                  " | "))
        << parameter.name;
  }
}

}  // namespace
}  // namespace ferry
