// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>

#include "ferry/transport/internal/sys_common.h"

namespace ferry::internal::sys {
namespace {

constexpr mode_t kOwnerOnly = 0600;

}  // namespace

int OpenFolder(const std::string& path) {
  if (Injected(Call::kOpen)) return -1;
  return AboveStdio(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool MayChange(int folder) {
  return !Injected(Call::kAccess) && ::faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

int OpenAt(int folder, const std::string& name, int flags) {
  if (Injected(Call::kOpen)) return -1;
  flags |= O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  return AboveStdio(::openat(folder, name.c_str(), flags, kOwnerOnly));
}

int OpenToRead(const std::string& path) {
  if (Injected(Call::kOpen)) return -1;
  return AboveStdio(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

int StatAt(int folder, const std::string& name, struct stat& status) {
  if (Injected(Call::kStat)) return -1;
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
}

int StatOpen(int fd, struct stat& status) {
  return Injected(Call::kStat) ? -1 : ::fstat(fd, &status);
}

int MakeFifo(int folder, const std::string& name) {
  return Injected(Call::kMkfifo) ? -1 : ::mkfifoat(folder, name.c_str(), kOwnerOnly);
}

int Unlink(int folder, const std::string& name) {
  return Injected(Call::kUnlink) ? -1 : ::unlinkat(folder, name.c_str(), 0);
}

int Rename(int folder, const std::string& from, const std::string& to) {
  return Injected(Call::kRename) ? -1 : ::renameat(folder, from.c_str(), folder, to.c_str());
}

std::vector<std::string> NamesIn(int folder) {
  std::vector<std::string> names;
  int fd = Injected(Call::kOpen) ? -1 : ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return names;
  DIR* entries = Injected(Call::kOpen) ? nullptr : ::fdopendir(fd);
  if (entries == nullptr) {
    ::close(fd);
    return names;
  }
  for (const dirent* entry; !Injected(Call::kRead) && (entry = ::readdir(entries)) != nullptr;) {
    names.emplace_back(entry->d_name);
  }
  ::closedir(entries);
  return names;
}

int LockFile(int fd) {
  if (Injected(Call::kLock)) return -1;
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  return ::fcntl(fd, F_SETLK, &whole);
}

pid_t LockHolder(int fd) {
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  if (Injected(Call::kLock) || ::fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK)
    return -1;
  return whole.l_pid > 0 ? whole.l_pid : 0;
}

int LockDescription(int fd) { return Injected(Call::kLock) ? -1 : ::flock(fd, LOCK_EX | LOCK_NB); }

const char* TrustedVariable(const char* name) { return secure_getenv(name); }

int RandomBytes(void* data, size_t size) {
  // Up to 256 bytes come whole once the system's generator is seeded.
  ssize_t got;
  while ((got = Injected(Call::kRandom) ? -1 : ::getrandom(data, size, 0)) < 0 && errno == EINTR) {
  }
  return got == static_cast<ssize_t>(size) ? 0 : -1;
}

}  // namespace ferry::internal::sys
