// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// OwnedName: a path in the file system at which one process serves, by a socket.
//
// Whoever holds the lock of the file PATH.lock owns the name, and nobody else makes,
// replaces or removes what is there. The lock ends with the process, so the next owner
// takes over what a killed one has left. The lock file is removed while it is locked;
// who has meanwhile locked the removed file finds that the name leads to another one, or
// nowhere, and tries again.
//
// The lock is a POSIX one, which a forked child does not inherit. Those do not exclude
// each other within a process, and closing any descriptor of the file drops them, so a
// table says what this process owns, and it never opens a lock file twice.

#ifndef FERRY_TRANSPORT_INTERNAL_OWNED_NAME_H_
#define FERRY_TRANSPORT_INTERNAL_OWNED_NAME_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/place.h"

namespace ferry::internal {

// Thread contract: thread-compatible; different names are independent.
class OwnedName {
 public:
  // Returns: ALREADY_EXISTS — somebody serves there, with their process id;
  // FAILED_PRECONDITION — what is there, or PATH.lock or PATH.new, is none of ours;
  // INVALID_ARGUMENT — PATH is such a name itself, beside that of another server;
  // else what errno says.
  static absl::StatusOr<std::unique_ptr<OwnedName>> Take(Place place);

  // Gives the name up and removes what is there; not so in a forked process.
  ~OwnedName();

  // Where the socket is to be bound until it listens: no client looks there.
  std::string path_to_bind() const { return place_.path + kNew; }

  // Puts the socket bound there at the path, instead of one left over.
  absl::Status Publish();

  const Place& place() const { return place_; }

 private:
  static constexpr char kLock[] = ".lock";
  static constexpr char kNew[] = ".new";
  // What identifies a name: its folder's device and inode, and the name there.
  using Key = std::tuple<dev_t, ino_t, std::string>;

  explicit OwnedName(Place place) : place_(std::move(place)) {}
  absl::Status Claim();
  absl::Status Lock();
  absl::Status CheckPath() const;
  absl::Status RemoveUnpublished() const;
  absl::StatusOr<bool> IsServed() const;
  absl::Status ServedBy(pid_t process) const;
  absl::Status Failed(const char* what) const;

  const ForkMark fork_mark_;
  const Place place_;
  Key key_;
  bool claimed_ = false;  // key_ is in the table
  UniqueFd lock_;         // open: the name is ours
  struct stat published_ = {};
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_OWNED_NAME_H_
