// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// For the tests of endpoints that have a name in the file system. The bodies, for
// BodyProcess, find the address in the environment variable AT:
//
//   Serves    says "ready", or the error; accepts and keeps whoever comes
//   Connects  says "connected", or the error; then waits to be killed
//
// With KILL_AT=k, the k-th system call after the start kills the process. With
// ORDINARY_USER=1 it is no longer root.

#ifndef FERRY_TESTS_TRANSPORT_NAMED_ENDPOINT_H_
#define FERRY_TESTS_TRANSPORT_NAMED_ENDPOINT_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ferry/transport/endpoint.h"
#include "tests/support/body_process.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {

absl::StatusOr<std::unique_ptr<Listener>> ListenAt(const std::string& address);
absl::StatusOr<std::unique_ptr<Transport>> ConnectTo(const std::string& address,
                                                     absl::Duration timeout = absl::Seconds(20));

// Takes in the next client; null after `timeout`.
absl::StatusOr<std::unique_ptr<Transport>> AcceptOne(Listener& listener,
                                                     absl::Duration timeout = absl::Seconds(20));

// A client and its server, both in this process.
TransportPair ConnectPair(Listener& listener, const std::string& address);

// Expects a message to get through each way.
void ExpectToCarry(Transport& a, Transport& b);

// Reads until the transport is closed; whether that is so within 20 s.
bool EndsSoon(Transport& transport);

std::vector<std::string> At(const std::string& address);

// EXPECTs the code, and each of `parts` in the text.
void ExpectStatus(const absl::Status& status, absl::StatusCode code,
                  const std::vector<std::string>& parts);

}  // namespace ferry::test

#endif  // FERRY_TESTS_TRANSPORT_NAMED_ENDPOINT_H_
