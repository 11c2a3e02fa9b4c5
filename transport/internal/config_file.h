// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_CONFIG_FILE_H_
#define FERRY_TRANSPORT_INTERNAL_CONFIG_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace ferry::internal {

// What the environment variable FERRY_CONFIG says. "" if there is none, and in a process
// with more rights than its caller, such as of a set-user-id program: it would read the
// caller's file, and start the programs named there.
std::string ConfigFileOfEnvironment();

// What is in the file, at most 1 MiB.
// Returns: INVALID_ARGUMENT when it is longer or no regular file; else what opening and
// reading it says, such as NOT_FOUND and PERMISSION_DENIED. All name the file.
absl::StatusOr<std::string> ReadConfigFile(const std::string& path);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_CONFIG_FILE_H_
