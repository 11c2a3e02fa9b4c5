// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef GREETER_H_
#define GREETER_H_

#include <string_view>

#include "absl/status/status.h"
#include "ferry/rpc/server.h"

// Serves a greeter until the server is shut down.
absl::Status ServeGreeter(ferry::Server& server, std::string_view address);

#endif  // GREETER_H_
