// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// From what a program gives to Connect, Listen or Spawn to an address: directly, or by a
// name in a configuration file (proto/config.proto, docs/configuration.md).

#ifndef FERRY_RPC_INTERNAL_CONFIG_H_
#define FERRY_RPC_INTERNAL_CONFIG_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "ferry/transport/address.h"

namespace ferry::internal {

// The address that was given, or that the file has for the name that was given; its
// parameters are checked (CheckAddress). `config_file` as in the options. The file is read
// each time, so that it may change while the process runs; its fields and the parameters
// given with a name, "kv?spin=5us", become parameters in that order, so the latter win.
// Returns: INVALID_ARGUMENT for what is wrong with either; FAILED_PRECONDITION when it is a
// name and there is no file; NOT_FOUND when there is no such file, or no such name in it;
// else what reading the file says. A message about the file begins with "FILE:LINE:".
absl::StatusOr<Address> ResolveAddress(std::string_view given, const std::string& config_file);

// What the address says goes before what the options say. REQUIRES: the address is checked.
void Apply(const Address& address, ChannelOptions& options);
void Apply(const Address& address, ServerOptions& options);

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CONFIG_H_
