// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Unix stream sockets: at a path, which only the server's user may connect to unless it
// changes the mode of the file, or under an abstract name, which every user of the
// machine may. Both ends learn from the system who the other is.
//
// Beside PATH there is PATH.lock while a server serves. A killed server leaves both; the
// next one takes them over.

#ifndef FERRY_TRANSPORT_UNIX_SOCKET_H_
#define FERRY_TRANSPORT_UNIX_SOCKET_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Returns: ALREADY_EXISTS — somebody serves there; NOT_FOUND — there is no such folder;
// PERMISSION_DENIED — it may not be written, or other users could replace the name;
// FAILED_PRECONDITION — what is there is not a socket of ours; INVALID_ARGUMENT — the path
// is too long, or ends in ".lock" or ".new"; else what errno says.
absl::StatusOr<std::unique_ptr<Listener>> ListenUnix(const std::string& path);

// Returns: ALREADY_EXISTS, INVALID_ARGUMENT as above, else what errno says.
absl::StatusOr<std::unique_ptr<Listener>> ListenUnixAbstract(const std::string& name);

// Connects; waits only while the server is too busy to let anybody in.
// Returns: UNAVAILABLE — nobody listens, with what is at the path; DEADLINE_EXCEEDED;
// PERMISSION_DENIED; INVALID_ARGUMENT — the path is too long; else what errno says.
absl::StatusOr<std::unique_ptr<Transport>> ConnectUnix(const std::string& path, Deadline deadline);
absl::StatusOr<std::unique_ptr<Transport>> ConnectUnixAbstract(const std::string& name,
                                                               Deadline deadline);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_UNIX_SOCKET_H_
