// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_PLACE_H_
#define FERRY_TRANSPORT_INTERNAL_PLACE_H_

#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferry/transport/internal/fd.h"

namespace ferry::internal {

// Where a path leads: the folder, held open, so that it stays the same one when the
// process changes its own, and the name in it. Thread contract: thread-compatible.
struct Place {
  // Returns: INVALID_ARGUMENT — the path names nothing that can be in a folder;
  // UNAVAILABLE — there is no such folder; PERMISSION_DENIED; else what errno says.
  static absl::StatusOr<Place> Find(const std::string& scheme, const std::string& path);

  // The same for who will make names there. Returns further: NOT_FOUND — there is no such
  // folder; FAILED_PRECONDITION — the file system is read-only; PERMISSION_DENIED — names
  // cannot be made there, or somebody else could replace them.
  static absl::StatusOr<Place> FindToServe(const std::string& scheme, const std::string& path);

  // FAILED_PRECONDITION: `what` stands at the path, or beside it under another name.
  absl::Status InTheWay(const std::string& other_name, const struct stat& what) const;
  // The path of another name in the folder.
  std::string PathOf(const std::string& other_name) const;

  std::string address;  // "unix:/run/x", for error texts
  std::string path;     // "/run/x"
  std::string folder_path;
  std::string name;  // "x"
  UniqueFd folder;
};

// "a regular file"
const char* KindOfFile(const struct stat& status);

inline bool IsSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// "user 1000"
std::string UserOf(const struct stat& status);

// Whether errno `error` says that descriptors or memory have run out.
inline bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

// For who takes a name. Each further try means that another process gave it up just then.
inline constexpr int kTakingTries = 1000;
// A killed server loses its lock some moments before the rest.
inline constexpr absl::Duration kDying = absl::Milliseconds(200);
inline constexpr absl::Duration kDyingPause = absl::Milliseconds(2);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PLACE_H_
