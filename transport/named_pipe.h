// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// POSIX named pipes (FIFOs). A server reads one at PATH, in which clients announce
// themselves; each client makes two more beside it for its connection, whose names are
// gone as soon as it has been let in. So a client must be able to write in the folder.
//
// Pipes say nothing of who is at the other end; the owners and modes of the files let in
// nobody but the server's user. A killed server leaves PATH; the next one takes it over.

#ifndef FERRY_TRANSPORT_NAMED_PIPE_H_
#define FERRY_TRANSPORT_NAMED_PIPE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Returns: ALREADY_EXISTS — somebody serves there; NOT_FOUND — there is no such folder;
// PERMISSION_DENIED — it may not be written, or other users could replace the name;
// FAILED_PRECONDITION — what is there is not a pipe of ours; INVALID_ARGUMENT — the name is
// too long; RESOURCE_EXHAUSTED, with the limit; else what errno says.
absl::StatusOr<std::unique_ptr<Listener>> ListenNamedPipe(const std::string& path);

// Connects; waits until the server has let it in.
// Returns: UNAVAILABLE — nobody serves there, with what is at the path; DEADLINE_EXCEEDED;
// PERMISSION_DENIED; RESOURCE_EXHAUSTED, with the limit; INVALID_ARGUMENT — the name is too
// long; what the server answered; else what errno says.
absl::StatusOr<std::unique_ptr<Transport>> ConnectNamedPipe(const std::string& path,
                                                            Deadline deadline);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_NAMED_PIPE_H_
