// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A connection over the process's own stdin and stdout, for a child of any launcher.
//
// They are pipes or sockets. The protocol moves to private descriptors, then stdin
// becomes /dev/null and stdout becomes stderr, so that whatever prints to stdout, in this
// process or its children, corrupts nothing. What was printed and flushed before the move
// did. If FERRY_PARENT says stdio, which `exec:…?transport=stdio` sees
// to, the move is made before main and before the program's own static constructors;
// only shared libraries that print while they are loaded come earlier.
//
// The mode of the descriptors stays as it is: they may be shared with other processes.

#ifndef FERRY_TRANSPORT_STDIO_LINK_H_
#define FERRY_TRANSPORT_STDIO_LINK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ferry/transport/peer_process.h"
#include "ferry/transport/transport.h"

namespace ferry {

// The environment variable by which a parent tells its child what links them.
inline constexpr char kParentVariable[] = "FERRY_PARENT";

// Its value for a child whose stdin and stdout are these ends of pipes: "stdio:INO,INO",
// the numbers of the two pipes. Another program that inherits the variable, below the
// child or in a wrapper script, has other pipes, and keeps them.
std::string LinkOverStdio(int child_read, int child_write);
// Whether it says that our stdin and stdout are the link. Launchers that are not ferry may
// say just "stdio".
bool IsLinkOverStdio(const char* link);

// Takes over stdin and stdout, once in a process. `process` is the one at the other end;
// null if it is not known.
// Returns: FAILED_PRECONDITION when they are not what could be talked over, or were taken
// before.
absl::StatusOr<std::unique_ptr<Transport>> AttachToStdio(Peer peer,
                                                         std::shared_ptr<PeerProcess> process);

// The same to whoever is there.
absl::StatusOr<std::unique_ptr<Transport>> ConnectToStdio();

// Whether they were taken over before main.
bool StdioWasTakenEarly();

}  // namespace ferry

#endif  // FERRY_TRANSPORT_STDIO_LINK_H_
