// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/config.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ferry/rpc/internal/config_text.h"
#include "ferry/transport/internal/config_file.h"
#include "ferry/transport/internal/near_miss.h"
#include "ferry/transport/parameter.h"

namespace ferry::internal {
namespace {

bool IsName(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  });
}

// The address of an endpoint, with the endpoint's fields as parameters.
absl::StatusOr<Address> AddressOf(const ConfigText& config, int index) {
  const std::string endpoint = config.Where(index);
  absl::StatusOr<Address> address = Address::Parse(config.endpoint(index).address());
  if (!address.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.Where(index, "address"), ": ", address.status().message()));
  }
  address->where = absl::StrCat(config.Where(index, "address"), ": ", address->where);
  for (AddressParameter& parameter : address->parameters) parameter.where = address->where;
  const size_t in_address = address->parameters.size();
  for (AddressParameter& field : config.Parameters(index)) {
    const Parameter* parameter = FindParameter(field.name);
    for (size_t i = 0; i < in_address; ++i) {
      if (parameter->repeats || address->parameters[i].name != field.name) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(field.where, ": ", field.name, " is in the address, too"));
    }
    address->parameters.push_back(std::move(field));
  }
  return address;
}

absl::Status CheckEndpoint(const ConfigText& config, int index) {
  const Endpoint& endpoint = config.endpoint(index);
  if (endpoint.name().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.Place(index), ": an endpoint without a name"));
  }
  if (!IsName(endpoint.name())) {
    return absl::InvalidArgumentError(absl::StrCat(
        config.Where(index, "name"), ": expected a name of letters, digits, '_', '-' and '.'"));
  }
  if (endpoint.address().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(config.Where(index), ": it has no address"));
  }
  for (int other = 0; other < index; ++other) {
    if (config.endpoint(other).name() != endpoint.name()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        config.Where(index, "name"), ": there is one of that name at ", config.Place(other)));
  }
  if (!HasScheme(endpoint.address())) {
    return absl::InvalidArgumentError(absl::StrCat(
        config.Where(index, "address"), ": address '", endpoint.address(),
        "': expected SCHEME:BODY, such as unix:PATH; a name cannot stand for another"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Address> Lookup(const ConfigText& config, const std::string& name,
                               const std::string& where) {
  std::vector<std::string> names;
  int found = -1;
  for (int i = 0; i < config.size(); ++i) {
    if (absl::Status checked = CheckEndpoint(config, i); !checked.ok()) return checked;
    names.push_back(config.endpoint(i).name());
    if (names.back() == name) found = i;
  }
  if (found >= 0) return AddressOf(config, found);
  return absl::NotFoundError(absl::StrCat(where, ": ", config.path(), " has no endpoint '", name,
                                          "'", DidYouMean(name, names), "; it has ",
                                          names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

absl::StatusOr<Address> ResolveName(std::string_view given, const std::string& config_file) {
  const std::string where =
      absl::StrCat("address '", absl::string_view(given.data(), given.size()), "'");
  const size_t question = given.find('?');
  const std::string name(given.substr(0, question));
  if (!IsName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where,
                     ": expected SCHEME:BODY, such as unix:PATH, or the name of an endpoint in a "
                     "configuration file, of letters, digits, '_', '-' and '.'"));
  }
  const std::string path = config_file.empty() ? ConfigFileOfEnvironment() : config_file;
  if (path.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        where,
        ": a name without a scheme is looked up in a configuration file, and neither "
        "FERRY_CONFIG nor the program names one; or give SCHEME:BODY, such as unix:PATH"));
  }
  absl::StatusOr<std::string> text = ReadConfigFile(path);
  if (!text.ok()) {
    return absl::Status(text.status().code(), absl::StrCat(where, ": ", text.status().message()));
  }
  ConfigText config(path);
  if (absl::Status parsed = config.Parse(*text); !parsed.ok()) return parsed;
  absl::StatusOr<Address> address = Lookup(config, name, where);
  if (!address.ok() || question == given.npos) return address;
  absl::Status added = address->AddParameters(given.substr(question + 1), where);
  if (!added.ok()) return added;
  return address;
}

}  // namespace

absl::StatusOr<Address> ResolveAddress(std::string_view given, const std::string& config_file) {
  absl::StatusOr<Address> address =
      HasScheme(given) ? Address::Parse(given) : ResolveName(given, config_file);
  if (!address.ok()) return address;
  if (absl::Status checked = CheckAddress(*address); !checked.ok()) return checked;
  return address;
}

void Apply(const Address& address, ChannelOptions& options) {
  Read(address, "max_message", options.max_message);
  Read(address, "handshake_timeout", options.handshake_timeout);
  Read(address, "wait_for_ready", options.wait_for_ready);
  ReadChoice(address, "reconnect", options.reconnect);
  Read(address, "max_backoff", options.max_backoff);
  Read(address, "keepalive", options.keepalive);
  ReadChoice(address, "restart", options.restart);
  Read(address, "restart_limit", options.restart_limit);
  Read(address, "restart_window", options.restart_window);
}

void Apply(const Address& address, ServerOptions& options) {
  Read(address, "max_message", options.max_message);
  Read(address, "handshake_timeout", options.handshake_timeout);
  Read(address, "max_connections", options.max_connections);
  Read(address, "max_connections_per_process", options.max_connections_per_process);
  Read(address, "max_handshakes", options.max_handshakes);
  Read(address, "request_credit", options.request_credit);
  Read(address, "max_requests", options.max_requests);
  Read(address, "max_connection_memory", options.max_connection_memory);
}

}  // namespace ferry::internal
