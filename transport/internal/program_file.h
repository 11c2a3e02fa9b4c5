// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Why a program could not be started: what exec says is one word, what helps is whose
// file it is, what may be done with it and what is in it.

#ifndef FERRY_TRANSPORT_INTERNAL_PROGRAM_FILE_H_
#define FERRY_TRANSPORT_INTERNAL_PROGRAM_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "ferry/transport/child_options.h"

namespace ferry::internal {

// Where a program of that name is: the name itself if it has a '/', else in PATH, or in
// the system's usual folders if that is unset. "" if nowhere.
std::string FindProgram(const std::string& name);

// The error of a posix_spawn that failed with `error`. NOT_FOUND: the program, its
// interpreter or loader, or the working directory; PERMISSION_DENIED;
// FAILED_PRECONDITION: no program for this machine; INVALID_ARGUMENT: too many
// arguments; else what errno says.
absl::Status ExplainNoStart(int error, const ChildOptions& options);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PROGRAM_FILE_H_
