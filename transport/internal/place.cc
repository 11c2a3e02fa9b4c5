// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/place.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

absl::Status CannotOpenFolder(const Place& place, absl::StatusCode if_missing, int error) {
  const std::string what = absl::StrCat(place.address, ": ");
  switch (error) {
    case ENOENT:
      return {if_missing, absl::StrCat(what, "there is no folder ", place.folder_path)};
    case ENOTDIR:
      return {if_missing, absl::StrCat(what, place.folder_path, " is not a folder")};
    case EACCES:
      return absl::PermissionDeniedError(absl::StrCat(
          what, "user ", geteuid(), " may not look into the folder ", place.folder_path));
    default:
      return absl::ErrnoToStatus(error, absl::StrCat(what, "the folder ", place.folder_path));
  }
}

absl::StatusOr<Place> FindIn(const std::string& scheme, const std::string& path,
                             absl::StatusCode if_missing) {
  Place place;
  place.address = absl::StrCat(scheme, path);
  place.path = path;
  if (path.find('\0') != path.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(scheme, path.c_str(), "...: a path cannot have a NUL byte (%00)"));
  }
  size_t slash = path.rfind('/');
  place.name = slash == path.npos ? path : path.substr(slash + 1);
  place.folder_path = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  if (place.name.empty() || place.name == "." || place.name == "..") {
    return absl::InvalidArgumentError(
        absl::StrCat(place.address, ": expected ", scheme, "PATH, where PATH is no folder"));
  }
  place.folder = UniqueFd(sys::OpenFolder(place.folder_path));
  if (!place.folder.valid()) return CannotOpenFolder(place, if_missing, errno);
  return place;
}

// Nobody but this user and root may be able to put something else under the name.
absl::Status CheckOwner(const Place& place) {
  struct stat folder;
  if (sys::StatOpen(place.folder.get(), folder) != 0) {
    return CannotOpenFolder(place, absl::StatusCode::kNotFound, errno);
  }
  if (folder.st_uid != geteuid() && folder.st_uid != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(place.address, ": the folder ", place.folder_path, " belongs to ",
                     UserOf(folder), ", who could replace the name"));
  }
  if ((folder.st_mode & S_IWOTH) != 0 && (folder.st_mode & S_ISVTX) == 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        place.address, ": every user may write in the folder ", place.folder_path,
        ", which has no sticky bit, and could replace the name; try chmod o-w or chmod +t"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Place> Place::Find(const std::string& scheme, const std::string& path) {
  return FindIn(scheme, path, absl::StatusCode::kUnavailable);
}

absl::StatusOr<Place> Place::FindToServe(const std::string& scheme, const std::string& path) {
  absl::StatusOr<Place> place = FindIn(scheme, path, absl::StatusCode::kNotFound);
  if (!place.ok()) return place;
  if (absl::Status safe = CheckOwner(*place); !safe.ok()) return safe;
  if (sys::MayChange(place->folder.get())) return place;
  if (errno == EROFS) {
    return absl::FailedPreconditionError(absl::StrCat(
        place->address, ": the folder ", place->folder_path, " is on a read-only file system"));
  }
  return absl::PermissionDeniedError(absl::StrCat(
      place->address, ": user ", geteuid(), " may not write in the folder ", place->folder_path));
}

std::string Place::PathOf(const std::string& other_name) const {
  return absl::StrCat(path.substr(0, path.size() - name.size()), other_name);
}

absl::Status Place::InTheWay(const std::string& other_name, const struct stat& what) const {
  std::string owner = what.st_uid == geteuid() ? "" : absl::StrCat(" of ", UserOf(what));
  return absl::FailedPreconditionError(
      absl::StrCat(address, ": ", PathOf(other_name), " is ", KindOfFile(what), owner,
                   ", which is in the way; move it, or choose another path"));
}

const char* KindOfFile(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a folder";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a named pipe";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

std::string UserOf(const struct stat& status) { return absl::StrCat("user ", status.st_uid); }

}  // namespace ferry::internal
