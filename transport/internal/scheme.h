// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Schemes: what an address begins with.

#ifndef FERRY_TRANSPORT_INTERNAL_SCHEME_H_
#define FERRY_TRANSPORT_INTERNAL_SCHEME_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "ferry/transport/address.h"

namespace ferry::internal {

// Sets of schemes, as bits.
using SchemeSet = uint16_t;
inline constexpr SchemeSet kExec = 1, kInproc = 2, kNamedPipe = 4, kParent = 8, kShm = 16,
                           kStdio = 32, kUnix = 64, kUnixAbstract = 128;
// `exec:` with transport=shm; such an address has the parameters of kExec, too.
inline constexpr SchemeSet kExecShm = 256;

inline constexpr SchemeSet kNamed = kInproc | kNamedPipe | kShm | kUnix | kUnixAbstract;
inline constexpr SchemeSet kConnected = kExec | kStdio | kNamed;
inline constexpr SchemeSet kServed = kParent | kStdio | kNamed;
inline constexpr SchemeSet kEvery = kConnected | kServed;

// "unix" for kUnix.
std::vector<std::string> NamesOf(SchemeSet schemes);

// The same for people: "parent:, stdio: and exec: with transport=shm".
std::string ListOf(SchemeSet schemes);

// What the address is of; 0: nothing that we know.
SchemeSet SchemesOf(const Address& address);

// Returns: INVALID_ARGUMENT when there is no such scheme, or it is none of `allowed`, which
// `purpose` describes: "to serve". Says which there are.
absl::Status CheckScheme(const Address& address, SchemeSet allowed, const char* purpose);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SCHEME_H_
