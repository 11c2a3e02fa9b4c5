// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A server in a process of its own, unrelated to those that call it.

#ifndef FERRY_TESTS_RPC_SERVING_PROCESS_H_
#define FERRY_TESTS_RPC_SERVING_PROCESS_H_

#include <memory>
#include <string>

#include "tests/support/body_process.h"

namespace ferry::test {

enum class As { kThisUser, kAnotherUser };

// Starts one that serves Echo at the address; it does when this returns. It ends, with
// exit code 0, when it hears a line.
std::unique_ptr<BodyProcess> StartServing(const std::string& address, As user = As::kThisUser);

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_SERVING_PROCESS_H_
