// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The two pipes that a client of a named pipe makes beside it for itself:
//
//   PATH.<32 hexadecimal digits>.in    from the server to the client
//   PATH.<32 hexadecimal digits>.out   from the client to the server
//
// A client makes and opens `out`, then `in`; it is removed in the opposite order. So
// whoever has an `in` has an `out`, and the client lives as long as `out` has a reader,
// since it opens that both ways. The names are there only until the server has let the
// client in. A client that is killed earlier leaves them: RemoveLeftovers. That may hit
// a live one between making and opening a pipe, which notices and makes new ones.

#ifndef FERRY_TRANSPORT_INTERNAL_PIPE_NAMES_H_
#define FERRY_TRANSPORT_INTERNAL_PIPE_NAMES_H_

#include <string>

#include "absl/time/time.h"
#include "ferry/transport/internal/pipe_hello.h"
#include "ferry/transport/internal/place.h"

namespace ferry::internal {

inline constexpr char kNamedPipeScheme[] = "named-pipe:";

// Names in the folder of a named pipe.
struct PipeNames {
  PipeNames() = default;
  PipeNames(const std::string& name, const Nonce& nonce);
  void RemoveFrom(const Place& place) const;

  std::string in, out;
};

// INVALID_ARGUMENT when there is no room for the rest of those names.
absl::Status CheckPipeName(const Place& place);

// Removes the pipes of clients that have ended, if they are older than `age`. Answers
// whether there are any others.
bool RemoveLeftovers(const Place& place, absl::Duration age);

inline bool IsPipe(const struct stat& status) { return S_ISFIFO(status.st_mode); }

// Made by this user for itself, and under no other name.
bool IsOwnPipe(const struct stat& status);

// Opens a pipe, and nothing else: -1 and ENOENT when none has that name. `status` is what
// has it, and zero if that cannot be told.
UniqueFd OpenPipe(const Place& place, const std::string& name, int flags, struct stat& status);

// RESOURCE_EXHAUSTED with the limits that count, if that is what errno `error` means.
absl::Status PipeError(const Place& place, const char* what, int error);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PIPE_NAMES_H_
